import type { RepositoryReason } from '../../api/repository-reasons.ts';
import { shortCommit } from '../../runtime/git/git.ts';
import type { RepositoryRecord } from '../../runtime/repository-records.ts';
import type { CommitSet } from './facts.ts';

/** What to say of a Repository; `ready` becomes its condition. */
export interface Say {
  readonly ready: {
    readonly status: 'True' | 'False' | 'Unknown';
    readonly reason: RepositoryReason;
  };
  readonly message: string;
  /** `working`: by itself it goes on; `stalled`: a person must do something. */
  readonly mood: 'resting' | 'working' | 'stalled';
}

const TOLD_MAX = 5;

/** What to say from the moment that a commit is brought in; undefined: none is begun. */
export function sayOfBegun(before: RepositoryRecord, after: RepositoryRecord): Say | undefined {
  const { attempt } = after;
  if (attempt === undefined || attempt.sinceMs === before.attempt?.sinceMs) return undefined;
  return saying('False', 'Applying', 'working', `applying ${named(attempt)}`);
}

export function saying(
  status: Say['ready']['status'],
  reason: RepositoryReason,
  mood: Say['mood'],
  message: string,
): Say {
  return { ready: { status, reason }, mood, message };
}

/** Why a step failed is said for as long as it does. */
export function troubled(say: Say, trouble: string | undefined): Say {
  return trouble === undefined ? say : { ...say, message: `${say.message}: ${trouble}` };
}

export function named({
  commit,
  subject,
}: {
  readonly commit: string;
  readonly subject: string;
}): string {
  return subject === ''
    ? `commit ${shortCommit(commit)}`
    : `commit ${shortCommit(commit)} (${subject})`;
}

export function refusedText(set: CommitSet, problems: readonly string[]): string {
  return `${named(set)} is refused as a whole: ${problems.join('\n')}`;
}

export function suspendedText({ applied }: RepositoryRecord): string {
  return `nothing is done while it is suspended; ${applied === undefined ? 'nothing' : named(applied)} was in force`;
}

export function told(words: readonly string[]): string {
  const more = words.length - TOLD_MAX;
  return `${words.slice(0, TOLD_MAX).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
