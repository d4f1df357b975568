import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type ProcessGroup, startGroup } from '../process-group.ts';
import { ask } from './ask.ts';
import { type Given, RECIPES, type ServerName } from './recipes.ts';
import { names, ORIGIN } from './world.ts';

/** The core that each server has to itself; the client has the other. */
export const SERVER_CORE = '0';

export interface Server extends ProcessGroup {
  readonly name: ServerName;
  readonly port: number;
}

/** Somewhere. */
const ANY_SUBNET = '8.8.8.0';
const READY_MS_MAX = 30_000;

/** Starts a server pinned to `cores`, as taskset names them, or to its own; resolves once it answers. */
export async function startServer(
  name: ServerName,
  given: Given & { readonly signal: AbortSignal; readonly cores?: string },
): Promise<Server> {
  const folder = join(given.folder, name);
  await refuseTakenPort(given.port);
  await mkdir(folder, { recursive: true });
  const command = await RECIPES[name]({ ...given, folder });
  const group = startGroup('taskset', ['-c', given.cores ?? SERVER_CORE, ...command]);
  try {
    await untilItAnswers(group, given);
  } catch (cause) {
    await group.stop();
    throw new Error(`start ${name} (${command.join(' ')}): ${group.said()}`, { cause });
  }
  return { ...group, name, port: given.port };
}

/** Ports may be shared: another server there would take some of the queries. */
async function refuseTakenPort(port: number): Promise<void> {
  const answer = await ask({ name: names[0] ?? ORIGIN, type: 'TXT', subnet: ANY_SUBNET, port });
  if (answer.length > 0) throw new Error(`port ${port} is taken: another benchmark runs there`);
}

async function untilItAnswers(
  { child }: ProcessGroup,
  { port, signal }: { readonly port: number; readonly signal: AbortSignal },
): Promise<void> {
  const endMs = performance.now() + READY_MS_MAX;
  for (;;) {
    signal.throwIfAborted();
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
    const asked = { name: names[0] ?? ORIGIN, type: 'TXT', subnet: ANY_SUBNET } as const;
    const answer = await ask({ ...asked, port });
    if (answer.length > 0) return;
    if (performance.now() > endMs) throw new Error(`no answer after ${READY_MS_MAX} ms`);
  }
}
