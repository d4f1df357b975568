import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { WorkerHandle, Workers } from '../workers.ts';

export interface WorkerProcessesOptions<Kind extends string> {
  /** The module that each process runs. It gets its data as the first message. */
  readonly entry: URL;
  readonly dataFor: (kind: Kind, index: number) => unknown;
  /** Options of Node, in place of this process's own. */
  readonly flags: readonly string[];
}

/**
 * Workers as processes of their own: for work that takes much memory once. A thread would leave it
 * with this process, whose allocator gives little of it back.
 */
export function processWorkers<Kind extends string, In, Out>(
  options: WorkerProcessesOptions<Kind>,
): Workers<Kind, In, Out> {
  return { spawn: (kind, index) => spawnProcess(options, kind, index) };
}

function spawnProcess<Kind extends string, In, Out>(
  { entry, dataFor, flags }: WorkerProcessesOptions<Kind>,
  kind: Kind,
  index: number,
): WorkerHandle<In, Out> {
  const child = fork(fileURLToPath(entry), {
    execArgv: [...flags],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = `${said}${text}`.slice(-SAID_MAX);
  });
  let failure: string | undefined;
  child.on('error', (error) => {
    failure = error.message;
  });
  const send = (message: unknown): void => {
    if (child.connected) child.send(message as object, () => undefined);
  };
  send(dataFor(kind, index));
  return {
    post: send,
    onMessage: (listener) => child.on('message', (message) => listener(message as Out)),
    onExit: (listener) =>
      child.once('close', (code, signal) =>
        listener(failure ?? (said.trim() || `it ended with ${signal ?? `code ${code}`}`)),
      ),
    terminate: () => void child.kill('SIGKILL'),
  };
}

/** Of what a process says before it ends: enough for an error and where it was. */
const SAID_MAX = 4096;
