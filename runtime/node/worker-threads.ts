import { type ResourceLimits, Worker } from 'node:worker_threads';
import type { WorkerHandle, Workers } from '../workers.ts';

export interface WorkerThreadsOptions<Kind extends string> {
  /** The module that each thread runs. */
  readonly entry: URL;
  /** What the thread finds in `workerData`. */
  readonly dataFor: (kind: Kind, index: number) => unknown;
  readonly resourceLimits?: ResourceLimits;
}

/** Workers as threads of this process. */
export function threadWorkers<Kind extends string, In, Out>(
  options: WorkerThreadsOptions<Kind>,
): Workers<Kind, In, Out> {
  return { spawn: (kind, index) => spawnThread(options, kind, index) };
}

function spawnThread<Kind extends string, In, Out>(
  { entry, dataFor, resourceLimits }: WorkerThreadsOptions<Kind>,
  kind: Kind,
  index: number,
): WorkerHandle<In, Out> {
  const worker = new Worker(entry, {
    name: `${kind}-${index}`,
    workerData: dataFor(kind, index),
    ...(resourceLimits === undefined ? {} : { resourceLimits }),
  });
  let failure: string | undefined;
  worker.on('error', (error: unknown) => {
    failure = error instanceof Error ? (error.stack ?? error.message) : String(error);
  });
  return {
    post: (message) => worker.postMessage(message),
    onMessage: (listener) => worker.on('message', listener),
    onExit: (listener) =>
      worker.once('exit', (code) => listener(failure ?? `it ended with code ${code}`)),
    terminate: () => void worker.terminate(),
  };
}
