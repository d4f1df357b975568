import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ProcessGroup, startGroup } from '../process-group.ts';
import { type Given, HOST, RECIPES, type ServerName } from './recipes.ts';
import { FILES } from './site.ts';

/** The core that each server has to itself; the client has the other. */
const SERVER_CORE = '0';
const READY_MS_MAX = 60_000;

export interface Server extends ProcessGroup {
  readonly name: ServerName;
  readonly port: number;
}

/** Starts a server pinned to its core; resolves once it answers. */
export async function startServer(
  name: ServerName,
  given: Given & { readonly signal: AbortSignal },
): Promise<Server> {
  const folder = join(given.folder, name);
  if (await isTaken(given.port))
    throw new Error(`port ${given.port} is taken: is it still running?`);
  await mkdir(folder, { recursive: true });
  const command = await RECIPES[name]({ ...given, folder });
  const group = startGroup('taskset', ['-c', SERVER_CORE, ...command]);
  try {
    await untilItAnswers(group, given);
  } catch (cause) {
    await group.stop();
    throw new Error(`start ${name} (${command.join(' ')}): ${group.said()}`, { cause });
  }
  return { ...group, name, port: given.port };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** One request, over a connection of its own. */
export async function ask(
  port: number,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const request = httpsRequest({
    ...{ host: HOST, port, path, servername: 'localhost', rejectUnauthorized: false, agent: false },
    headers: { host: 'localhost', ...headers },
  });
  request.end();
  const [message] = (await once(request, 'response')) as [IncomingMessage];
  const body = Buffer.concat(await message.toArray());
  return { status: message.statusCode ?? 0, headers: message.headers, body };
}

/** Ports may be shared: another server there would take some of the requests. */
async function isTaken(port: number): Promise<boolean> {
  const socket = connect({ host: HOST, port });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function untilItAnswers(
  { child }: ProcessGroup,
  { port, signal }: { readonly port: number; readonly signal: AbortSignal },
): Promise<void> {
  const endMs = performance.now() + READY_MS_MAX;
  for (;;) {
    signal.throwIfAborted();
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
    const answer = await ask(port, FILES.small.path).catch(() => undefined);
    if (answer?.status === 200) return;
    if (performance.now() > endMs) throw new Error(`no answer after ${READY_MS_MAX} ms`);
    await sleep(50);
  }
}
