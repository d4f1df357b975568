import { condition } from '../../api/object.ts';
import type { Repository } from '../../api/repository.ts';
import { shortCommit } from '../../runtime/git/git.ts';
import type { RepositoryRecord } from '../../runtime/repository-records.ts';
import type { CommitStatusRecord } from '../../runtime/telling-records.ts';
import type { CommitNews } from './host.ts';

/** Commits that are remembered as told. */
export const TOLD_COMMITS_MAX = 20;
/** What a host has not taken for so long is not told any more. */
export const GIVE_UP_MS = 86_400_000;
/** A clock that was ahead when something failed must not hold it up for longer. */
export const TROUBLE_MS_MAX = 3_600_000;

/** Why a commit is refused as a whole, as the condition Ready has it. */
const REFUSALS: ReadonlySet<string> = new Set([
  ...['Invalid', 'Refused', 'NothingDeclared', 'MassDeletion', 'NotVerified'],
]);

/**
 * What is to be known of commits, the newest first: the one that is brought in, the one that was
 * rolled back, the one that is in force, and the one that is refused.
 */
export function newsOf(
  repository: Repository,
  { attempt, bad, applied }: RepositoryRecord,
): readonly CommitNews[] {
  const ready = condition(repository, 'Ready');
  const news: CommitNews[] = [];
  const add = (each: CommitNews): void => {
    if (!news.some(({ commit }) => commit === each.commit)) news.push(each);
  };
  if (attempt !== undefined) {
    const { commit } = attempt;
    // `onFailure: keep` goes on waiting; it may come good yet.
    const isLate = attempt.phase === 'waiting' && ready?.reason === 'NotReady';
    if (isLate) add({ commit, state: 'failure', description: ready.message });
    else add({ commit, state: 'pending', description: 'dom is bringing it in' });
  }
  if (bad !== undefined)
    add({ commit: bad.commit, state: 'failure', description: `rolled back: ${bad.message}` });
  if (applied !== undefined)
    add({ commit: applied.commit, state: 'success', description: 'in force, and all is Ready' });
  const refused = repository.status?.attemptedCommit;
  // While another one is brought in, the condition may speak of either.
  if (attempt === undefined && refused !== undefined && REFUSALS.has(ready?.reason ?? ''))
    add({ commit: refused, state: 'failure', description: ready?.message ?? '' });
  return news;
}

export type CommitStatusStep =
  | { readonly kind: 'rest'; readonly recheckInMs: number }
  /** `giveUp`: it is not told, and not tried again. */
  | { readonly kind: 'tell' | 'giveUp'; readonly news: CommitNews };

export function planCommitStatus(
  news: readonly CommitNews[],
  { record, key }: { readonly record: CommitStatusRecord; readonly key: string },
  nowMs: number,
): CommitStatusStep {
  const due = [...news, ...supersededBy(news, record)].find(({ commit, state }) => {
    const told = record.told.find((each) => each.commit === commit);
    return told?.state !== state;
  });
  if (due === undefined) return { kind: 'rest', recheckInMs: Infinity };
  const { trouble } = record;
  // Tried with something else, it may be taken.
  if (trouble === undefined || trouble.key !== key) return { kind: 'tell', news: due };
  const isSame = trouble.commit === due.commit && trouble.state === due.state;
  if (isSame && nowMs - trouble.sinceMs > GIVE_UP_MS) return { kind: 'giveUp', news: due };
  const leftMs = trouble.nextMs - nowMs;
  if (leftMs > 0 && leftMs <= TROUBLE_MS_MAX) return { kind: 'rest', recheckInMs: leftMs };
  return { kind: 'tell', news: due };
}

/** Those that were said to be under way, and are not any more. */
function supersededBy(
  news: readonly CommitNews[],
  { told }: CommitStatusRecord,
): readonly CommitNews[] {
  const [newest] = news;
  if (newest === undefined) return [];
  return told
    .filter(({ state, commit }) => {
      return state === 'pending' && !news.some((each) => each.commit === commit);
    })
    .map(({ commit }) => ({
      ...{ commit, state: 'superseded' },
      description: `${shortCommit(newest.commit)} took its place before it was Ready`,
    }));
}
