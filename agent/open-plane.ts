import type { Clock } from '../runtime/clock.ts';
import type { Disk } from '../runtime/disk.ts';
import type { Log } from '../runtime/log.ts';
import { checkBind } from '../runtime/node/bind-check.ts';
import { threadWorkers } from '../runtime/node/worker-threads.ts';
import type { Random } from '../runtime/random.ts';
import type { Place } from './placed-plane.ts';
import type { FromWorker, ToWorker, WorkerConfig } from './plane/messages.ts';
import type { DataPlane, WorkerKind } from './plane/plane.ts';
import { createThreadedPlane } from './plane/threaded-plane.ts';

export interface OpenPlaneOptions {
  readonly node: string;
  /** The node's folder on this machine: edge workers read it for themselves. */
  readonly folder: string;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly threads: Readonly<Record<WorkerKind, number>>;
  readonly cacheBytesMax: number;
}

/** Bytes of TLS session ticket keys, shared by all edge workers of the node. */
const TICKET_KEY_BYTES = 48;

/** A plane of worker threads at that place. Throws where this process may not listen. */
export async function openPlane(place: Place, options: OpenPlaneOptions): Promise<DataPlane> {
  await refuseUnbindable(place);
  const { node, folder, disk, clock, random, log, threads, cacheBytesMax } = options;
  const { addresses, httpPort, httpsPort, dnsPort } = place;
  const common = { nodeName: node, addresses, mode: 'production' } as const;
  const ticketKeys = Uint8Array.from(random.bytes(TICKET_KEY_BYTES));
  const edge = { ...common, folder, httpPort, httpsPort, ticketKeys, cacheBytesMax };
  const workers = threadWorkers<WorkerKind, ToWorker, FromWorker>({
    entry: new URL('./plane/main.ts', import.meta.url),
    dataFor: (kind): WorkerConfig =>
      kind === 'dns' ? { ...common, kind, dnsPort } : { ...edge, kind },
  });
  const counts = { edge: place.edge ? threads.edge : 0, dns: place.nameserver ? threads.dns : 0 };
  return createThreadedPlane({ workers, counts, disk, clock, random, log });
}

async function refuseUnbindable(place: Place): Promise<void> {
  const ports = [
    ...(place.edge ? [place.httpPort, place.httpsPort] : []),
    ...(place.nameserver ? [place.dnsPort] : []),
  ];
  for (const address of place.addresses) {
    for (const port of ports) {
      if ((await checkBind(address, port)) === 'allowed') continue;
      throw new Error(
        `no right to listen on port ${port}: run sub as root, or let its Node listen on low ports: setcap cap_net_bind_service=+ep "$(readlink -f node_modules/.bin/node)"`,
      );
    }
  }
}
