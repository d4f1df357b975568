import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { atEnd } from './ending.ts';

/** One program that is started, killed and started again; what it says goes to a file. */
export interface Program {
  readonly name: string;
  readonly logFile: string;
  readonly pid: number | undefined;
  start(): void;
  /**
   * SIGTERM, or another signal, and SIGKILL when that does not help in time; left out: 10 seconds.
   * Resolves to the exit code; undefined: a signal ended it, or it did not run.
   */
  stop(
    signal?: NodeJS.Signals,
    options?: { readonly killAfterMs?: number },
  ): Promise<number | undefined>;
  kill9(): Promise<void>;
  /** SIGSTOP and SIGCONT: a machine that hangs, and goes on. */
  pause(): void;
  resume(): void;
  readonly running: boolean;
}

const running = new Set<ChildProcess>();
// Whatever ends this process, what it started ends too.
atEnd(() => {
  for (const child of running) signalGroup(child, 'SIGKILL');
});

export function program(options: {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly logFile: string;
  readonly env?: Readonly<Record<string, string>>;
}): Program {
  let child: ChildProcess | undefined;
  return {
    name: options.name,
    logFile: options.logFile,
    get pid() {
      return child?.pid;
    },
    get running() {
      return child !== undefined;
    },
    start() {
      if (child !== undefined) throw new Error(`${options.name} is running already`);
      mkdirSync(dirname(options.logFile), { recursive: true });
      const log = openSync(options.logFile, 'a');
      // A process group of its own: Ctrl-C reaches us alone, and we end it in order.
      const started = spawn(options.command, [...options.args], {
        stdio: ['ignore', log, log],
        detached: true,
        env: { ...process.env, ...options.env },
      });
      closeSync(log);
      child = started;
      running.add(started);
      started.once('exit', () => {
        running.delete(started);
        if (child === started) child = undefined;
      });
    },
    async stop(signal = 'SIGTERM', { killAfterMs = 10_000 } = {}) {
      return child === undefined ? undefined : await end(child, { signal, killAfterMs });
    },
    async kill9() {
      if (child !== undefined) await end(child, { signal: 'SIGKILL', killAfterMs: 10_000 });
    },
    pause: () => signalGroup(child, 'SIGSTOP'),
    resume: () => signalGroup(child, 'SIGCONT'),
  };
}

/** The end of a program's log, for error messages. */
export function logTail(logFile: string, lines = 15): string {
  try {
    return readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return '(no log)';
  }
}

/** Runs a command to its end. Never throws for an exit code. */
export async function run(
  command: string,
  args: readonly string[],
  options: {
    readonly env?: Readonly<Record<string, string>>;
    readonly cwd?: string;
    readonly input?: string;
    readonly timeoutMs?: number;
  } = {},
): Promise<{ readonly stdout: string; readonly stderr: string; readonly exitCode: number }> {
  const child = spawn(command, [...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    timeout: options.timeoutMs ?? 60_000,
  });
  running.add(child);
  // It may have ended before it read, or never read at all.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  const [stdout, stderr, exitCode] = await Promise.all([
    collect(child.stdout),
    collect(child.stderr),
    new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve(code ?? 137));
    }),
  ]);
  running.delete(child);
  return { stdout, stderr, exitCode };
}

/** Polls until `check` gives something; throws what `describe` says when it takes too long. */
export async function until<Value>(
  what: string,
  check: () => Promise<Value | undefined | false>,
  options: { readonly timeoutMs: number; readonly everyMs?: number },
): Promise<Value> {
  const deadlineMs = performance.now() + options.timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await check();
      if (value !== undefined && value !== false) return value;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadlineMs)
      throw new Error(`not within ${options.timeoutMs} ms: ${what}`, { cause: last });
    await pause(options.everyMs ?? 50);
  }
}

async function end(
  child: ChildProcess,
  { signal, killAfterMs }: { readonly signal: NodeJS.Signals; readonly killAfterMs: number },
): Promise<number | undefined> {
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  if (child.exitCode === null && child.signalCode === null) {
    signalGroup(child, signal);
    const late = setTimeout(() => signalGroup(child, 'SIGKILL'), killAfterMs);
    await gone;
    clearTimeout(late);
  }
  return child.exitCode ?? undefined;
}

function signalGroup(child: ChildProcess | undefined, signal: NodeJS.Signals): void {
  if (child?.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    try {
      child.kill(signal);
    } catch {
      // It has ended by itself meanwhile.
    }
  }
}

async function collect(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
