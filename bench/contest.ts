import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProcessGroup } from './process-group.ts';

export interface Contest<S extends ProcessGroup> {
  /** For whatever the servers need; removed at the end. */
  readonly folder: string;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Servers put here are stopped at the end. */
  readonly started: S[];
}

/** Servers beside each other: however it ends, what was started and written is gone. */
export async function contest<S extends ProcessGroup>(
  measureAll: (given: Contest<S>) => Promise<void>,
): Promise<void> {
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort());
  const folder = await mkdtemp(join(tmpdir(), 'b8s-bench-'));
  const started: S[] = [];
  try {
    await measureAll({ folder, signal: stopping.signal, started });
  } catch (error) {
    if (!stopping.signal.aborted) throw error;
    console.log('interrupted');
    process.exitCode = 130;
  } finally {
    await Promise.all(started.map((server) => server.stop()));
    await rm(folder, { recursive: true, force: true });
  }
}

/** The servers that a list such as `b8s,nginx` names. */
export function chosenServers<N extends string>(list: string, known: readonly N[]): readonly N[] {
  return list.split(',').map((text) => {
    const name = known.find((each) => each === text);
    if (name === undefined) throw new Error(`no server ${text}: there are ${known.join(', ')}`);
    return name;
  });
}
