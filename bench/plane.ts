import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { compileOnDisk } from '../agent/plane/geo-compiler.ts';
import type { FromWorker, ToWorker } from '../agent/plane/messages.ts';
import type { DataPlane, WorkerKind } from '../agent/plane/plane.ts';
import { createThreadedPlane } from '../agent/plane/threaded-plane.ts';
import {
  WORKER_RESOURCE_LIMITS,
  type WorkerConfig,
  workerFlags,
} from '../agent/plane/worker-config.ts';
import type { Disk } from '../runtime/disk/disk.ts';
import { silentLog } from '../runtime/log.ts';
import { systemClock } from '../runtime/node/clock.ts';
import { nodeDisk } from '../runtime/node/disk.ts';
import { systemRandom } from '../runtime/node/random.ts';
import { nodeReadShared } from '../runtime/node/shared-file.ts';
import { threadWorkers } from '../runtime/node/worker-threads.ts';

export interface BenchPlane {
  readonly plane: DataPlane;
  /** What stands for the node's folder. */
  readonly folder: string;
  /** That folder, written to without waiting for the disk. */
  readonly disk: Pick<Disk, 'write'>;
  /** Ends the workers and removes the folder. */
  close(): Promise<void>;
}

/** The data plane of a node, as sub runs it, with one worker that serves, or so many for DNS. */
export async function openBenchPlane(
  serving:
    | { readonly dnsPort: number; readonly dnsWorkers?: number }
    | Pick<WorkerConfig, 'httpsPort' | 'cacheBytesMax'>,
): Promise<BenchPlane> {
  const folder = await mkdtemp(join(tmpdir(), 'b8s-bench-'));
  const counts =
    'dnsPort' in serving ? { edge: 0, dns: serving.dnsWorkers ?? 1 } : { edge: 1, dns: 0 };
  const workers = threadWorkers<WorkerKind, ToWorker, FromWorker>({
    entry: new URL('../agent/plane/main.ts', import.meta.url),
    dataFor: (kind): WorkerConfig => ({
      ...{ kind, nodeName: 'bench', addresses: ['127.0.0.1'], folder, mode: 'production' },
      ...{ httpPort: 0, httpsPort: 0, dnsPort: 0, cacheBytesMax: 0, ...serving },
      ticketKeys: Buffer.alloc(48, 1),
    }),
    resourceLimits: WORKER_RESOURCE_LIMITS,
    flagsFor: workerFlags,
  });
  const disk = nodeDisk(folder);
  const plane = createThreadedPlane({
    ...{ workers, counts, disk },
    compileGeo: (digest) => compileOnDisk(disk, digest),
    readShared: nodeReadShared(folder),
    ...{ clock: systemClock(), random: systemRandom(), log: silentLog },
  });
  return {
    plane,
    folder,
    disk: {
      async write(path, bytes) {
        await mkdir(dirname(join(folder, path)), { recursive: true });
        await writeFile(join(folder, path), bytes);
      },
    },
    close: async () => {
      await plane.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
