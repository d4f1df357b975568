import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compileOnDisk } from '../../agent/plane/geo-compiler.ts';
import type { FromWorker, ToWorker } from '../../agent/plane/messages.ts';
import type { DataPlane, WorkerKind } from '../../agent/plane/plane.ts';
import { createThreadedPlane } from '../../agent/plane/threaded-plane.ts';
import {
  WORKER_RESOURCE_LIMITS,
  type WorkerConfig,
  workerFlags,
} from '../../agent/plane/worker-config.ts';
import { silentLog } from '../../runtime/log.ts';
import { systemClock } from '../../runtime/node/clock.ts';
import { nodeDisk } from '../../runtime/node/disk.ts';
import { systemRandom } from '../../runtime/node/random.ts';
import { nodeReadShared } from '../../runtime/node/shared-file.ts';
import { threadWorkers } from '../../runtime/node/worker-threads.ts';

export interface BenchPlane {
  readonly plane: DataPlane;
  /** What stands for the node's folder. */
  readonly folder: string;
  /** Ends the workers and removes the folder. */
  close(): Promise<void>;
}

/** The data plane of a nameserver, as sub runs it, with one DNS worker. */
export async function openBenchPlane(dnsPort: number): Promise<BenchPlane> {
  const folder = await mkdtemp(join(tmpdir(), 'b8s-bench-'));
  const workers = threadWorkers<WorkerKind, ToWorker, FromWorker>({
    entry: new URL('../../agent/plane/main.ts', import.meta.url),
    dataFor: (kind): WorkerConfig => ({
      ...{ kind, nodeName: 'bench', addresses: ['127.0.0.1'], folder, cacheBytesMax: 0 },
      ...{ httpPort: 0, httpsPort: 0, dnsPort, mode: 'production' },
      ticketKeys: Buffer.alloc(48, 1),
    }),
    resourceLimits: WORKER_RESOURCE_LIMITS,
    flagsFor: workerFlags,
  });
  const disk = nodeDisk(folder);
  const plane = createThreadedPlane({
    ...{ workers, counts: { edge: 0, dns: 1 }, disk },
    compileGeo: (digest) => compileOnDisk(disk, digest),
    readShared: nodeReadShared(folder),
    ...{ clock: systemClock(), random: systemRandom(), log: silentLog },
  });
  return {
    plane,
    folder,
    close: async () => {
      await plane.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
