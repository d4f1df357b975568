import { join } from 'node:path';
import { compileOnDisk } from '../../../agent/plane/geo-compiler.ts';
import type { FromWorker, ToWorker } from '../../../agent/plane/messages.ts';
import type { DataPlane, DnsPlaneSnapshot, WorkerKind } from '../../../agent/plane/plane.ts';
import { createThreadedPlane } from '../../../agent/plane/threaded-plane.ts';
import {
  TICKET_KEYS_BYTES,
  WORKER_RESOURCE_LIMITS,
  type WorkerConfig,
} from '../../../agent/plane/worker-config.ts';
import { silentLog } from '../../../runtime/log.ts';
import { systemClock } from '../../../runtime/node/clock.ts';
import { nodeDisk } from '../../../runtime/node/disk.ts';
import { systemRandom } from '../../../runtime/node/random.ts';
import { nodeReadShared } from '../../../runtime/node/shared-file.ts';
import { threadWorkers } from '../../../runtime/node/worker-threads.ts';
import type { Server } from './exchange.ts';

export interface OurServer extends Server {
  /** Serves these from now on. Throws for a zone that is not served. */
  serve(dns: Partial<DnsPlaneSnapshot>): Promise<void>;
  stop(): Promise<void>;
}

/** Our nameserver as sub runs it: a worker thread with sockets of its own. */
export function startOurs({
  folder,
  address,
  port,
}: Server & { readonly folder: string }): OurServer {
  const threads = threadWorkers<WorkerKind, ToWorker, FromWorker>({
    entry: new URL('../../../agent/plane/main.ts', import.meta.url),
    dataFor: (kind): WorkerConfig => ({
      ...{ kind, nodeName: 'ours', addresses: [address], dnsPort: port },
      ...{ httpPort: 0, httpsPort: 0, folder: join(folder, 'ours'), cacheBytesMax: 0 },
      ...{ ticketKeys: Buffer.alloc(TICKET_KEYS_BYTES), mode: 'production' },
    }),
    resourceLimits: WORKER_RESOURCE_LIMITS,
  });
  const disk = nodeDisk(join(folder, 'ours'));
  const plane: DataPlane = createThreadedPlane({
    compileGeo: (digest) => compileOnDisk(disk, digest),
    readShared: nodeReadShared(join(folder, 'ours')),
    workers: threads,
    counts: { dns: 1, edge: 0 },
    disk,
    clock: systemClock(),
    random: systemRandom(),
    log: silentLog,
  });
  let sequence = 0;
  return {
    address,
    port,
    async serve(dns) {
      sequence += 1;
      const whole = { zones: [], nodes: [], databases: [], health: {}, ...dns };
      const edge = { sites: [], certificates: [], httpsPort: 443 };
      const report = await plane.apply({ sequence, dns: whole, edge });
      const errors = report.zones.map(({ error }) => error).filter((error) => error !== undefined);
      if (errors.length > 0) throw new Error(errors.join('\n'));
    },
    stop: () => plane.close(),
  };
}
