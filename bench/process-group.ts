import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';

/** A server with all processes that it starts. Linux only. */
export interface ProcessGroup {
  readonly child: ChildProcess;
  /** The last of what it said on its standard error. */
  said(): string;
  /** Resident memory; what the processes share counts once. */
  rssMb(): Promise<number>;
  /** CPU time since their start. */
  cpuMs(): Promise<number>;
  stop(): Promise<void>;
}

/** An edge drains for 5 seconds before it clears away what it wrote. */
const STOP_MS_MAX = 10_000;
/** USER_HZ is 100 on every Linux that Node runs on. */
const MS_PER_TICK = 10;

export function startGroup(command: string, args: readonly string[]): ProcessGroup {
  const options: SpawnOptions = { stdio: ['ignore', 'ignore', 'pipe'], detached: true };
  const child = spawn(command, args, options);
  const leader = child.pid ?? 0;
  let said = '';
  child.stderr?.on('data', (piece: Buffer) => {
    said = (said + piece.toString()).slice(-2000);
  });
  return {
    child,
    said: () => said,
    rssMb: () => rssMbOf(leader),
    cpuMs: () => cpuMsOf(leader),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      process.kill(-leader, 'SIGTERM');
      const timer = setTimeout(() => process.kill(-leader, 'SIGKILL'), STOP_MS_MAX);
      await exited;
      clearTimeout(timer);
    },
  };
}

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
