import type { Clock } from '../../../runtime/clock.ts';
import {
  type Git,
  type GitCommit,
  GitError,
  type GitLimits,
  type GitRemote,
  type GitTarget,
} from '../../../runtime/git/git.ts';

const LIMITS: GitLimits = { fetchBytesMax: 1024 * 1024 * 1024, filesMax: 200_000 };

/** Reads from a commit, which is fetched unless it is here. Throws a `GitError`. */
export async function withCommit<Result>(
  git: Git,
  { remote, target }: { readonly remote: GitRemote; readonly target: GitTarget },
  signal: AbortSignal,
  read: (from: GitCommit) => Promise<Result>,
): Promise<Result> {
  const opened = await git.open(remote, target, { limits: LIMITS, signal });
  try {
    return await read(opened);
  } finally {
    await opened.close();
  }
}

/** Ends the work with a `GitError` when it takes too long, or when `signal` is aborted. */
export async function withinTime<Result>(
  clock: Clock,
  timeoutMs: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const late = new AbortController();
  const over = new AbortController();
  const waiting = clock
    .sleep(timeoutMs, over.signal)
    .then(() =>
      late.abort(new GitError('Unreachable', `it took longer than ${timeoutMs / 1000} s`)),
    )
    .catch(() => undefined);
  try {
    return await work(AbortSignal.any([signal, late.signal]));
  } finally {
    over.abort();
    await waiting;
  }
}
