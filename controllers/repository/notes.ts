import type { EventNote } from '../../runtime/control/events.ts';
import { shortCommit } from '../../runtime/git/git.ts';
import type { RepositoryRecord } from '../../runtime/repository-records.ts';
import { shownKey } from './facts.ts';
import type { SetChange } from './plan/plan.ts';
import { told } from './words.ts';

export type Note = Pick<EventNote, 'type' | 'reason' | 'message'>;

/** What to tell people of a step from one record to the next; undefined: nothing. */
export function noteOf(before: RepositoryRecord, after: RepositoryRecord): Note | undefined {
  const { applied, bad, attempt } = after;
  if (applied !== undefined && applied.commit !== before.applied?.commit) {
    const message = `commit ${shortCommit(applied.commit)} is in force: ${applied.subject}`;
    return { type: 'Normal', reason: 'CommitApplied', message };
  }
  if (bad !== undefined && bad.commit !== before.bad?.commit) {
    const message = `commit ${shortCommit(bad.commit)} was rolled back: ${bad.message}`;
    return { type: 'Warning', reason: 'RolledBack', message };
  }
  if (attempt !== undefined && attempt.commit !== before.attempt?.commit) {
    const message = `applying commit ${shortCommit(attempt.commit)}: ${attempt.subject}`;
    return { type: 'Normal', reason: 'CommitFound', message };
  }
  return undefined;
}

/** What to tell of objects that may be on their way to a Repository that never read the commit. */
export function noteOfLeft(changes: readonly SetChange[], commit: string): Note | undefined {
  const left = changes.flatMap((each) =>
    each.object === undefined && each.unread !== undefined ? [each] : [],
  );
  const [first] = left;
  if (first === undefined) return undefined;
  const what = told(left.map(({ key }) => shownKey(key)));
  const message = `${what} stay, and are nobody's from now on: commit ${shortCommit(commit)} takes them out of this folder, and repository ${first.unread}, which may declare them, could not read it; delete them if they are over`;
  return { type: 'Warning', reason: 'LeftAlone', message };
}
