import { type ChildProcess, spawn } from 'node:child_process';
import { GitError } from '../../git/git.ts';

/** What `ulimit -f` counts in (POSIX). */
const BLOCK_BYTES = 512;
/** What git may print before it is stopped; refs of a remote are the longest. */
const OUTPUT_BYTES_MAX = 32 * 1024 * 1024;
/** Of what it complains, the end says most. */
const COMPLAINT_BYTES_MAX = 16 * 1024;

export interface GitCall {
  /** Left out: git. */
  readonly program?: 'gpg';
  readonly args: readonly string[];
  /** Replaces dom's own: git sees no variable that is not here. */
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** No file that it writes grows longer. Left out: it writes none of note. */
  readonly fileBytesMax?: number;
  readonly outputBytesMax?: number;
  /** What to do when it failed: left out, throw; else what it printed is the answer. */
  readonly failing?: 'prints';
}

/** Runs git to its end and returns what it printed. Throws a `GitComplaint` when it failed. */
export async function runGit(call: GitCall): Promise<Buffer> {
  const { outputBytesMax = OUTPUT_BYTES_MAX, failing } = call;
  const child = startGit(call);
  child.stdin?.end();
  const printed: Buffer[] = [];
  let printedBytes = 0;
  try {
    for await (const chunk of child.stdout ?? []) {
      printedBytes += chunk.length;
      if (printedBytes > outputBytesMax)
        throw new GitError('TooLarge', `git printed more than ${outputBytesMax} bytes`);
      printed.push(chunk);
    }
    await child.ended().catch((error: unknown) => {
      if (failing !== 'prints' || !(error instanceof GitComplaint)) throw error;
    });
    return Buffer.concat(printed);
  } finally {
    child.stop();
  }
}

/** What git said when it failed. */
export class GitComplaint extends Error {
  override readonly name = 'GitComplaint';

  constructor(complaint: string, code: number | string) {
    super(complaint === '' ? `git ended with ${code}` : complaint);
  }
}

export interface RunningGit {
  readonly stdin: ChildProcess['stdin'];
  readonly stdout: AsyncIterable<Buffer> | null;
  /** Throws a `GitComplaint` unless it ended well, and the signal's reason when that ended it. */
  ended(): Promise<void>;
  /** Ends it, and what it has started. */
  stop(): void;
}

/** Starts git as the leader of a group of its own, so that its helpers end with it. */
export function startGit(call: GitCall): RunningGit {
  const { program = 'git', args, env, signal, fileBytesMax } = call;
  signal.throwIfAborted();
  // The shell is there for its limit alone; it becomes the program.
  const limit =
    fileBytesMax === undefined ? 'unlimited' : String(Math.ceil(fileBytesMax / BLOCK_BYTES));
  const child = spawn(
    '/bin/sh',
    ['-c', 'ulimit -f "$1"; shift; exec "$@"', program, limit, program, ...args],
    { env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] },
  );
  let complaint = '';
  child.stderr.setEncoding('utf8');
  child.stderr.on('data', (text: string) => {
    complaint = `${complaint}${text}`.slice(-COMPLAINT_BYTES_MAX);
  });
  // Writing to one that has ended is told by how it ended.
  child.stdin.on('error', () => undefined);
  const stop = (): void => {
    signal.removeEventListener('abort', stop);
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It ended by itself at this moment.
    }
  };
  signal.addEventListener('abort', stop, { once: true });
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', (cause) => {
      reject(new GitError('Failed', `${program} cannot be started: install it`, { cause }));
    });
    child.once('close', (code, killedBy) => {
      signal.removeEventListener('abort', stop);
      if (signal.aborted) reject(signal.reason);
      else if (code === 0) resolve();
      else reject(new GitComplaint(complaint.trim(), killedBy ?? code ?? 0));
    });
  });
  // Whoever stopped it does not ask how it ended.
  ended.catch(() => undefined);
  return { stdin: child.stdin, stdout: child.stdout, ended: () => ended, stop };
}
