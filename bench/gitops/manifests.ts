import { existsSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Repository } from '../../api/repository.ts';
import { type Cluster, startCluster } from '../../e2e/support/cluster.ts';
import { freePorts } from '../../e2e/support/ports.ts';
import { until } from '../../e2e/support/processes.ts';
import type { Api } from '../../runtime/api-client.ts';
import { grpcApi } from '../../runtime/node/grpc/api.ts';
import { processUsage } from '../figures.ts';
import { fetchAndRead } from './floor.ts';
import { serveRemote } from './remote.ts';

const READY_MS_MAX = 400_000;
const LOOK_MS = 100;

/** What a Repository of that many Issuers, one in each file, costs dom. */
export async function measureManifests({
  folder,
  count,
}: {
  readonly folder: string;
  readonly count: number;
}): Promise<void> {
  const own = join(folder, `manifests-${count}`);
  await mkdir(own, { recursive: true });
  const [port = 0, gitPort = 0] = await freePorts(2);
  const remote = serveRemote(own, { address: '127.0.0.1', port: gitPort });
  const gapsFile = join(own, 'gaps');
  process.env['B8S_BENCH_GAPS'] = gapsFile;
  process.env['NODE_OPTIONS'] = `--import=${join(import.meta.dirname, 'gaps.ts')}`;
  const cluster = await startCluster({
    ...{
      stateDir: join(own, 'state'),
      dom: { address: '127.0.0.1', port },
      nodes: [],
      geo: 'none',
    },
  });
  console.log(`${count} manifests:`);
  try {
    await remote.commit(issuers(count, '30d'), { subject: 'first' });
    const { ms, sizeBytes } = await fetchAndRead(remote.url);
    console.log(`  git alone                ${shown(ms)} for ${(sizeBytes / 1e6).toFixed(2)} MB`);
    const measure = (what: string, subject: string, work: () => Promise<void>) =>
      measured({ cluster, gapsFile, what, subject }, work);
    await measure('the first commit', 'first', () => follow(cluster, remote.url));
    await measure('one changed', 'one', async () => {
      const files = { ...issuers(count, '30d'), 'issuer-0.yaml': issuer(0, '31d') };
      await remote.commit(files, { subject: 'one' });
      await cluster.b8sctlOk(['reconcile', 'repository/infra'], { timeoutMs: READY_MS_MAX });
    });
    await measure('all changed', 'all', async () => {
      await remote.commit(issuers(count, '32d'), { subject: 'all' });
      await cluster.b8sctl(['reconcile', 'repository/infra'], { timeoutMs: READY_MS_MAX });
    });
    await measure('a forecast', 'all', async () => {
      await cluster.b8sctl(['diff', '--repository', 'infra'], { timeoutMs: READY_MS_MAX });
    });
    await measure('nothing to do, 10 s', 'all', () => pause(10_000));
  } finally {
    await cluster.stop();
    remote.stop();
  }
}

interface Measured {
  readonly cluster: Cluster;
  readonly gapsFile: string;
  readonly what: string;
  /** Of the commit that is in force at the end. */
  readonly subject: string;
}

async function measured(
  { cluster, gapsFile, what, subject }: Measured,
  work: () => Promise<void>,
): Promise<void> {
  const before = processUsage(cluster.dom.pid ?? 0);
  const [startMs, sinceMs] = [performance.now(), Date.now()];
  const api = grpcApi(cluster.connection(), { requestTimeoutMs: 60_000, command: 'bench' });
  const asking = new AbortController();
  const slowest = askAlways(api, asking.signal);
  await work();
  await until('it is in force', () => isInForce(api, subject), {
    ...{ timeoutMs: READY_MS_MAX, everyMs: 200 },
  });
  const tookMs = performance.now() - startMs;
  asking.abort();
  const calls = await slowest;
  const after = processUsage(cluster.dom.pid ?? 0);
  const gaps = gapsOf(gapsFile, sinceMs);
  const longest = gaps.toSorted((a, b) => b - a).slice(0, 5);
  const figures = [
    shown(tookMs),
    `${shown(after.cpuMs - before.cpuMs)} of dom's CPU`,
    `${after.rssMb.toFixed(0)} MB, at most ${after.peakMb.toFixed(0)} MB`,
    `${gaps.filter((gap) => gap > 50).length} gaps over 50 ms (${longest.join(', ') || 'none'} ms)`,
    `slowest call ${calls.toFixed(0)} ms`,
  ];
  console.log(`  ${what.padEnd(24)} ${figures.join('; ')}`);
}

async function isInForce(api: Api, subject: string): Promise<boolean> {
  const reference = { kind: 'Repository', namespace: 'default', name: 'infra' };
  const found = await api.get(reference).catch(() => undefined);
  const status = (found as Repository | undefined)?.status;
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  return ready?.status === 'True' && status?.subject === subject;
}

/** How long the slowest of many calls took, one after the other until the signal. */
async function askAlways(api: Api, signal: AbortSignal): Promise<number> {
  let slowestMs = 0;
  const reference = { kind: 'Issuer', namespace: '', name: 'internal' };
  while (!signal.aborted) {
    const startMs = performance.now();
    await api.get(reference).catch(() => undefined);
    slowestMs = Math.max(slowestMs, performance.now() - startMs);
    await pause(LOOK_MS / 5);
  }
  return slowestMs;
}

function gapsOf(file: string, sinceMs: number): readonly number[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.split(' ').map(Number))
    .flatMap(([atMs = 0, gapMs = 0]) => (atMs >= sinceMs ? [gapMs] : []));
}

async function follow(cluster: Cluster, url: string): Promise<void> {
  const spec = { url, interval: '1h', timeout: '10m', ref: { branch: 'main' } };
  const object = {
    apiVersion: 'b8s.dev/v1',
    kind: 'Repository',
    metadata: { name: 'infra' },
    spec,
  };
  await cluster.b8sctlOk(['apply', '-f', '-'], { input: JSON.stringify(object) });
}

function issuers(count: number, lifetime: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`issuer-${index}.yaml`, issuer(index, lifetime)]),
  );
}

function issuer(index: number, lifetime: string): string {
  return `apiVersion: b8s.dev/v1
kind: Issuer
metadata:
  name: issuer-${index}
  labels: { team: bench, number: n${index} }
spec:
  ca: { lifetime: ${lifetime} }
`;
}

function shown(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
