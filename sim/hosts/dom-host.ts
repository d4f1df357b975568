import { Dom } from '../../dom/dom.ts';
import { createSealer } from '../../dom/identity/sealer.ts';
import type { CertificateAuthority, Identity } from '../../runtime/authority.ts';
import { noMetrics } from '../../runtime/metrics.ts';
import type { Store } from '../../runtime/store.ts';
import type { Scheduler } from '../engine/scheduler.ts';
import type { Trace } from '../engine/trace.ts';
import type { Faults } from '../faults/faults.ts';
import type { DomService } from '../net/network.ts';
import { remoteStore } from '../store/remote-store.ts';
import type { Host } from './host.ts';

export interface DomParts {
  readonly host: Host;
  readonly store: Store;
  readonly authority: CertificateAuthority;
  readonly sealKey: Uint8Array;
  readonly mode: 'shared' | 'sole';
  readonly scheduler: Scheduler;
  readonly trace: Trace;
  readonly faults: () => Faults;
  /** A process of dom may crash, but must never end by itself. */
  readonly onEnd: (why: string) => void;
}

export interface RunningDom extends DomService {
  readonly dom: Dom;
}

/** Starts dom's production code on its host, with simulated ports. */
export function startDom(parts: DomParts): RunningDom {
  const { host, authority, sealKey, mode, trace, onEnd } = parts;
  const { process, random, disk } = host.start();
  const dom = new Dom(
    {
      store: remoteStore({ ...parts, process, random: random.fork('store') }),
      clock: process.clock(host.clock),
      random,
      disk,
      log: process.log(trace.log(host.name)),
      metrics: noMetrics,
      sealer: createSealer({ key: sealKey, random: random.fork('sealer') }),
      authority,
    },
    { holder: host.name, mode, version: 'sim', storeName: 'memory', addresses: ['dom:7443'] },
  );
  dom.run(process.signal).then(
    () => process.alive && onEnd('dom ended by itself'),
    (error: unknown) => process.alive && onEnd(`dom ended: ${String(error)}`),
  );
  return {
    dom,
    process,
    accept: (link, identity) => void dom.accept(link, identity, process.signal),
    fetchBlob: (node, digest, offsetBytes) => fetchBlob(dom, { node, digest, offsetBytes }),
  };
}

/** As dom's server does it. */
async function* fetchBlob(
  dom: Dom,
  { node, digest, offsetBytes }: { node: Identity; digest: string; offsetBytes: number },
): AsyncGenerator<Uint8Array> {
  const { blobAccess, blobs } = await dom.leading();
  if (node.kind !== 'node' || !(await blobAccess.allowed(node, digest)))
    throw new Error(`${digest} is not in the plan of ${node.name}`);
  yield* (await blobs.open(digest, offsetBytes)).chunks;
}
