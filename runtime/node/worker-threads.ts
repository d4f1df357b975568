import { type ResourceLimits, Worker, type WorkerOptions } from 'node:worker_threads';
import type { WorkerHandle, Workers } from '../workers.ts';

export interface WorkerThreadsOptions<Kind extends string> {
  /** The module that each thread runs. */
  readonly entry: URL;
  /** What the thread finds in `workerData`. */
  readonly dataFor: (kind: Kind, index: number) => unknown;
  readonly resourceLimits?: ResourceLimits;
  /** Options of Node that make such a thread faster; one that does not know them goes without. */
  readonly flagsFor?: (kind: Kind) => readonly string[];
}

/** Workers as threads of this process. */
export function threadWorkers<Kind extends string, In, Out>(
  options: WorkerThreadsOptions<Kind>,
): Workers<Kind, In, Out> {
  return { spawn: (kind, index) => spawnThread(options, kind, index) };
}

function spawnThread<Kind extends string, In, Out>(
  { entry, dataFor, resourceLimits, flagsFor }: WorkerThreadsOptions<Kind>,
  kind: Kind,
  index: number,
): WorkerHandle<In, Out> {
  const worker = newWorker(entry, flagsFor?.(kind) ?? [], {
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

function newWorker(entry: URL, flags: readonly string[], options: WorkerOptions): Worker {
  if (flags.length === 0) return new Worker(entry, options);
  // Flags of its own replace those that it would inherit.
  const inherited = process.execArgv.filter((flag) => flag.startsWith('--disable-warning'));
  try {
    return new Worker(entry, { ...options, execArgv: [...inherited, ...flags] });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_WORKER_INVALID_EXEC_ARGV') throw error;
    return new Worker(entry, options);
  }
}
