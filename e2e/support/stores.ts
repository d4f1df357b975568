import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClusterOptions } from './cluster.ts';
import { atEnd } from './ending.ts';
import { type EtcdServer, etcdMissing, startEtcd } from './etcd.ts';

/** A store for one test cluster, and a scratch folder that goes with it. */
export interface TestStore {
  readonly stateDir: string;
  readonly store: NonNullable<ClusterOptions['store']>;
  dispose(): Promise<void>;
}

/** What the whole of dom's e2e tests run on. */
export const STORES = ['sqlite', 'etcd'] as const;

export async function openStore(kind: (typeof STORES)[number]): Promise<TestStore> {
  const stateDir = mkdtempSync(join(tmpdir(), 'b8s-e2e-'));
  const remove = (): void => rmSync(stateDir, { recursive: true, force: true, maxRetries: 3 });
  const isRemoved = atEnd(remove);
  const etcd: EtcdServer | undefined = kind === 'etcd' ? await startEtcd() : undefined;
  return {
    stateDir,
    store: etcd === undefined ? { kind: 'sqlite' } : { kind: 'etcd', endpoint: etcd.endpoint },
    async dispose() {
      await etcd?.stop();
      remove();
      isRemoved();
    },
  };
}

/** Why tests on this store cannot run here; undefined: they can. In CI everything must run. */
export async function missing(kind: (typeof STORES)[number]): Promise<string | undefined> {
  return kind === 'etcd' ? etcdMissing() : undefined;
}
