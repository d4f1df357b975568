import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ask } from './ask.ts';
import { type Given, RECIPES, type ServerName } from './recipes.ts';
import { names, ORIGIN } from './world.ts';

/** The core that each server has to itself; the client has the other. */
export const SERVER_CORE = '0';

export interface Server {
  readonly name: ServerName;
  readonly port: number;
  /** Resident memory of all its processes; what they share counts once. */
  rssMb(): Promise<number>;
  /** CPU time of all its processes since their start. */
  cpuMs(): Promise<number>;
  stop(): Promise<void>;
}

/** Somewhere. */
const ANY_SUBNET = '8.8.8.0';
const READY_MS_MAX = 30_000;
const STOP_MS_MAX = 5000;

/** Starts a server pinned to its core; resolves once it answers. */
export async function startServer(
  name: ServerName,
  given: Given & { readonly signal: AbortSignal },
): Promise<Server> {
  const folder = join(given.folder, name);
  await refuseTakenPort(given.port);
  await mkdir(folder, { recursive: true });
  const command = await RECIPES[name]({ ...given, folder });
  const options: SpawnOptions = { stdio: ['ignore', 'ignore', 'pipe'], detached: true };
  const child = spawn('taskset', ['-c', SERVER_CORE, ...command], options);
  let said = '';
  child.stderr?.on('data', (piece: Buffer) => {
    said = (said + piece.toString()).slice(-2000);
  });
  const stop = (): Promise<void> => stopChild(child);
  try {
    await untilItAnswers({ ...given, child });
  } catch (cause) {
    await stop();
    throw new Error(`start ${name} (${command.join(' ')}): ${said}`, { cause });
  }
  const leader = child.pid ?? 0;
  return {
    ...{ name, port: given.port, stop },
    rssMb: () => rssMbOf(leader),
    cpuMs: () => cpuMsOf(leader),
  };
}

/** Ports may be shared: another server there would take some of the queries. */
async function refuseTakenPort(port: number): Promise<void> {
  const answer = await ask({ name: names[0] ?? ORIGIN, type: 'TXT', subnet: ANY_SUBNET, port });
  if (answer.length > 0) throw new Error(`port ${port} is taken: another benchmark runs there`);
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  // Its own process group: a server may have processes of its own.
  process.kill(-(child.pid ?? 0), 'SIGTERM');
  const timer = setTimeout(() => process.kill(-(child.pid ?? 0), 'SIGKILL'), STOP_MS_MAX);
  await exited;
  clearTimeout(timer);
}

async function untilItAnswers(given: {
  readonly port: number;
  readonly child: ChildProcess;
  readonly signal: AbortSignal;
}): Promise<void> {
  const endMs = performance.now() + READY_MS_MAX;
  for (;;) {
    given.signal.throwIfAborted();
    if (given.child.exitCode !== null) throw new Error(`it ended with ${given.child.exitCode}`);
    const asked = { name: names[0] ?? ORIGIN, type: 'TXT', subnet: ANY_SUBNET } as const;
    const answer = await ask({ ...asked, port: given.port });
    if (answer.length > 0) return;
    if (performance.now() > endMs) throw new Error(`no answer after ${READY_MS_MAX} ms`);
  }
}

/** The processes of a group. */
async function membersOf(leader: number): Promise<readonly number[]> {
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry)).map(Number);
  const groups = await Promise.all(pids.map(async (pid) => Number((await statOf(pid))[2])));
  return pids.filter((_, index) => groups[index] === leader);
}

/** From the process's state on (proc(5)); empty: it has ended. */
async function statOf(pid: number): Promise<readonly string[]> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

async function rssMbOf(leader: number): Promise<number> {
  let sizeKb = 0;
  for (const pid of await membersOf(leader)) {
    const memory = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
    sizeKb += Number(/^Pss:\s+(\d+)/m.exec(memory)?.[1] ?? 0);
  }
  return sizeKb / 1024;
}

async function cpuMsOf(leader: number): Promise<number> {
  let ticks = 0;
  for (const pid of await membersOf(leader)) {
    const [, , , , , , , , , , , user = 0, system = 0] = await statOf(pid);
    ticks += Number(user) + Number(system);
  }
  return MS_PER_TICK * ticks;
}

/** USER_HZ is 100 on every Linux that Node runs on. */
const MS_PER_TICK = 10;
