import { durationOf } from '../../../api/repository.ts';
import type { RepositoryReason } from '../../../api/repository-reasons.ts';
import type { AttemptRecord, RepositoryRecord } from '../../../runtime/repository-records.ts';
import { type CommitSet, type Desired, type Facts, shownKey } from '../facts.ts';
import { requestOf } from '../request.ts';
import { named, refusedText, type Say, saying, suspendedText, told } from '../words.ts';
import { mendable } from './anothers.ts';
import { isBad, meantBy } from './bad-commit.ts';
import { NO_CHANGES } from './change-digest.ts';
import { type Drift, driftText } from './drift.ts';
import { orderChanges } from './order.ts';
import { changesOf } from './removals.ts';
import { type Unready, unreadyIn } from './unready.ts';
import { putBack } from './upkeep.ts';

/** An object that is to become what a commit says. */
export interface Apply {
  readonly key: string;
  readonly object: Desired['object'];
  readonly desired: Desired;
}

/** An object whose manifest is gone. `let go`: it stays, and is nobody's. */
export interface Removal {
  readonly key: string;
  readonly object: undefined;
  readonly how: 'delete' | 'let go';
  /** The Repository that may take it over, as far as anybody knows: `default/b`. */
  readonly unread?: string;
}

export type SetChange = Apply | Removal;

export type Step =
  | { readonly kind: 'rest'; readonly say: Say; readonly recheckInMs: number }
  /** Nothing is known yet, so nothing new is said. */
  | { readonly kind: 'wait' }
  /** `drop`: also forget what would undo the attempt. `unready`: what it rests on, as it was seen. */
  | {
      readonly kind: 'note';
      readonly record: RepositoryRecord;
      readonly undo: 'keep' | 'drop';
      readonly unready?: Unready;
    }
  /** Ask dom what it would say to all of them. */
  | {
      readonly kind: 'check';
      readonly set: CommitSet;
      readonly changes: readonly SetChange[];
      readonly force: boolean;
    }
  | {
      readonly kind: 'change';
      readonly attempt: AttemptRecord;
      readonly changes: readonly SetChange[];
      readonly force: boolean;
      readonly say: Say;
    }
  | { readonly kind: 'restore'; readonly attempt: AttemptRecord; readonly say: Say }
  | {
      readonly kind: 'correct';
      readonly drift: readonly Drift[];
      readonly keys: readonly string[];
    };

/** What is on its way is looked at this often; changes of the objects call for it sooner. */
const LOOK_MS = 2_000;

/**
 * Decides the next step of a Repository. Each step leaves a state from which this decides the step
 * after it, so that a crash between any two goes on as if nothing had happened.
 */
export function planRepository(facts: Facts, nowMs: number): Step {
  const { repository, record, remote } = facts;
  if (repository.spec.suspend) return rest(facts, 'Suspended', 'resting', suspendedText(record));
  if (record.attempt?.phase === 'undoing') return planUndo(facts, record.attempt, nowMs);
  const answered = planRequest(facts);
  if (answered !== undefined) return answered;
  if (record.attempt === undefined) return planComing(facts, nowMs);
  const isNewer = remote.set !== undefined && remote.set.commit !== record.attempt.commit;
  if (!isNewer) return planAttempt(facts, record.attempt);
  // A newer commit takes the place of one that is still on its way, once it is known to be good.
  const coming = planComing(facts, nowMs);
  if (coming.kind !== 'rest') return coming;
  const own = planAttempt(facts, record.attempt);
  if (own.kind !== 'rest' && own.kind !== 'change') return own;
  // What is to be mended is the newer one.
  const message = `${coming.say.message}; before it, ${own.say.message}`;
  if (own.kind === 'change') return { ...own, say: { ...coming.say, message } };
  const recheckInMs = Math.min(own.recheckInMs, coming.recheckInMs);
  return { kind: 'rest', say: { ...coming.say, message }, recheckInMs };
}

/** A request counts as answered once the remote was looked at for it. */
function planRequest({ repository, record, remote }: Facts): Step | undefined {
  const request = requestOf(repository);
  if (request === undefined || request.text === record.request) return undefined;
  if (remote.request !== request.text) return undefined;
  if (request.by === 'webhook')
    return { kind: 'note', undo: 'keep', record: { ...record, request: request.text } };
  const { pinned: _p, forced: _f, confirmed: _c, expected: _e, bad, ...rest } = record;
  const { commit = remote.head, expect } = request;
  const isForced = request.force && commit !== undefined;
  return {
    kind: 'note',
    undo: 'keep',
    record: {
      ...rest,
      request: request.text,
      // One that could not be had holds nothing.
      ...(request.commit !== undefined &&
        remote.head !== undefined &&
        remote.set?.commit === request.commit && {
          pinned: { commit: request.commit, head: remote.head },
        }),
      ...(bad !== undefined && !(isForced && bad.commit === commit) && { bad }),
      ...(isForced && { forced: commit }),
      ...(request.confirmPrune && commit !== undefined && { confirmed: commit }),
      ...(expect !== undefined && commit !== undefined && { expected: { commit, digest: expect } }),
    },
  };
}

/** What to do about the commit that the ref means. */
function planComing(facts: Facts, nowMs: number): Step {
  const { repository, record, remote, verdict } = facts;
  const { set, failure } = remote;
  if (facts.blockedBy !== undefined)
    return rest(facts, 'DependencyNotReady', 'working', facts.blockedBy, LOOK_MS);
  if (set === undefined) {
    // What is in force is kept so also while the remote is away; but who can ask, asks first.
    if (record.applied !== undefined)
      return failure === undefined ? { kind: 'wait' } : planDrift(facts);
    if (failure !== undefined)
      return rest(facts, `Fetch${failure.reason}`, 'stalled', failure.message);
    return rest(facts, 'Fetching', 'working', `looking at ${repository.spec.url}`);
  }
  const changes = changesOf(facts, set);
  const refused = refusal(facts, set, changes);
  if (refused !== undefined) return refused;
  const force = record.forced === set.commit;
  if (record.applied?.commit === set.commit && changes.length === 0) {
    if (record.attempt === undefined && record.expected?.commit !== set.commit)
      return planDrift(facts);
    // The ref has gone back before anything of the attempt was left, or there was nothing to do.
    const { attempt, expected: _, ...rest } = record;
    return { kind: 'note', undo: attempt === undefined ? 'keep' : 'drop', record: rest };
  }
  const ordered = orderChanges(changes, facts.live);
  if (ordered.kind === 'circle')
    return rest(facts, 'Refused', 'stalled', refusedText(set, [ordered.problem]));
  const { commit, subject } = set;
  if (changes.length > 0) {
    if (verdict?.commit !== commit) return { kind: 'check', set, changes: ordered.changes, force };
    if (verdict.problems.length > 0) {
      // Who is still to read the commit may give up what stands in the way.
      const inMs = facts.behind(commit) === undefined ? Infinity : LOOK_MS;
      return rest(facts, 'Refused', 'stalled', refusedText(set, verdict.problems), inMs);
    }
  }
  const { expected } = record;
  const digest = changes.length === 0 ? NO_CHANGES : verdict?.digest;
  if (expected?.commit === commit && expected.digest !== digest) {
    const message = `${named(set)} would do something else by now than its plan says, so nothing is done; make a new plan, or b8sctl reconcile repository/${repository.metadata.name}`;
    return rest(facts, 'PlanChanged', 'stalled', message);
  }
  const attempt: AttemptRecord = { commit, subject, sinceMs: nowMs, phase: 'applying' };
  return { kind: 'note', undo: 'keep', record: { ...record, attempt } };
}

/** Why a commit is not even looked at; undefined: it may be. */
function refusal(facts: Facts, set: CommitSet, changes: readonly SetChange[]): Step | undefined {
  const { record, repository, inventory } = facts;
  if (set.problems.length > 0)
    return rest(facts, set.reason ?? 'Invalid', 'stalled', refusedText(set, set.problems));
  if (set.desired.length === 0) {
    const message = `${named(set)} declares nothing, so nothing is removed; delete the Repository if it is over`;
    return rest(facts, 'NothingDeclared', 'stalled', message);
  }
  const { bad } = record;
  if (bad !== undefined && isBad(facts, set.commit)) {
    const drift = planDrift(facts);
    return drift.kind === 'correct' ? drift : restAfterBad(facts, set, bad.message);
  }
  // What only an undecided commit has brought is nothing to be careful with.
  const isOld = (key: string): boolean => facts.undo.get(key)?.value.found !== 'nothing';
  const doomed = changes.filter(
    (each) => each.object === undefined && mayGo(each) && isOld(each.key),
  );
  const held = [...inventory.keys()].filter(isOld).length;
  const share = (100 * doomed.length) / Math.max(1, held);
  const { allowMassDeletion, massDeletionPercent } = repository.spec;
  if (allowMassDeletion || record.confirmed === set.commit || share <= massDeletionPercent)
    return undefined;
  const message = `${named(set)} would delete ${doomed.length} of ${held} objects (${told(doomed.map(({ key }) => shownKey(key)))}); if that is meant: b8sctl reconcile repository/${repository.metadata.name} --confirm-prune`;
  return rest(facts, 'MassDeletion', 'stalled', message);
}

/** Whom another Repository does not take over is deleted once that is known. */
function mayGo({ how, unread }: Removal): boolean {
  return how === 'delete' || unread !== undefined;
}

/** A commit that was rolled back is left alone. */
export function restAfterBad(facts: Facts, set: CommitSet, why: string): Step & { kind: 'rest' } {
  const message = `${named(set)} was rolled back: ${why}. It is not tried again until another commit comes, or b8sctl reconcile --force`;
  return rest(facts, 'BadCommit', 'stalled', message);
}

function planAttempt(facts: Facts, attempt: AttemptRecord): Step {
  const { repository, record, remote, trouble } = facts;
  const leftMs = durationOf(repository.spec.timeout) - facts.attemptForMs;
  if (attempt.phase === 'applying') {
    const set = remote.set?.commit === attempt.commit ? remote.set : remote.attempt;
    if (leftMs <= 0 && repository.spec.onFailure === 'rollback')
      return fail(facts, attempt, trouble ?? 'it was not applied in time');
    if (set?.commit !== attempt.commit || set.problems.length > 0) {
      const own = set?.commit === attempt.commit ? set : undefined;
      // It was good when it was begun, and its signers or keys have changed since.
      if (own !== undefined) {
        const why = `${named(attempt)} is half applied, and is refused by now`;
        const message = `${why}: ${own.problems.join('; ')}`;
        // Looked at again, for it may be rolled back when its time is over.
        return rest(facts, own.reason ?? 'Invalid', 'stalled', message, LOOK_MS);
      }
      const message = `${named(attempt)} is half applied, and is being fetched again: ${remote.failure?.message ?? repository.spec.url}`;
      return rest(facts, 'Applying', 'working', message, LOOK_MS);
    }
    const ordered = orderChanges(changesOf(facts, set), facts.live);
    if (ordered.kind === 'circle') return fail(facts, attempt, ordered.problem);
    const changes = withoutEarly(facts, ordered.changes, { leftMs });
    const late = `${named(attempt)} is half applied, longer than ${repository.spec.timeout}`;
    const say =
      leftMs <= 0 && trouble !== undefined
        ? saying('False', 'Refused', 'stalled', late)
        : saying('False', 'Applying', 'working', `applying ${named(attempt)}`);
    if (changes.length > 0) {
      const force = record.forced === attempt.commit;
      return { kind: 'change', attempt, changes, force, say };
    }
    if (ordered.changes.length > 0) {
      const unread = facts.unread(attempt.commit) ?? '';
      const message = `applied ${named(attempt)}; repository ${unread} follows the same remote, has not read this commit, and may take over what is to be removed`;
      return rest(facts, 'Applying', 'working', message, LOOK_MS);
    }
    return {
      kind: 'note',
      undo: 'keep',
      record: { ...record, attempt: { ...attempt, phase: 'waiting' } },
    };
  }
  const unready = unreadyIn(facts);
  const [first] = unready;
  if (first === undefined) {
    const { attempt: _, bad, forced: _f, confirmed: _c, expected: _e, ...rest } = record;
    const applied = { commit: attempt.commit, subject: attempt.subject };
    return { kind: 'note', undo: 'drop', record: { ...rest, applied, ...(bad && { bad }) } };
  }
  const waiting = told(unready.map(({ text }) => text));
  const message = `${named(attempt)} is applied, and waits for ${waiting}`;
  if (leftMs > 0) return rest(facts, 'Waiting', 'working', message, Math.min(LOOK_MS * 10, leftMs));
  if (repository.spec.onFailure === 'rollback')
    return {
      ...fail(facts, attempt, `not Ready within ${repository.spec.timeout}: ${waiting}`),
      // It may be Ready by now, and this dom the last to see it.
      unready: first,
    };
  return rest(facts, 'NotReady', 'stalled', `${message}, longer than ${repository.spec.timeout}`);
}

/**
 * Objects may be on their way to another Repository that follows the same remote: until that one has
 * read the commit, too, they stay where they are, but not for longer than half of the commit's time.
 * Whatever it claims by then is not known, so they are not deleted then, either.
 */
function withoutEarly(
  { repository }: Facts,
  changes: readonly SetChange[],
  { leftMs }: { readonly leftMs: number },
): readonly SetChange[] {
  const isLate = leftMs <= durationOf(repository.spec.timeout) / 2;
  return changes.filter((each) => isLate || each.object !== undefined || each.unread === undefined);
}

function fail(
  { record }: Facts,
  attempt: AttemptRecord,
  why: string,
): Step & { readonly kind: 'note' } {
  const failed: AttemptRecord = { ...attempt, phase: 'undoing', why };
  return { kind: 'note', undo: 'keep', record: { ...record, attempt: failed } };
}

function planUndo(facts: Facts, attempt: AttemptRecord, nowMs: number): Step {
  const { record, undo, repository } = facts;
  const why = attempt.why ?? '';
  if (undo.size > 0) {
    const message = `rolling back ${named(attempt)}: ${why}`;
    return { kind: 'restore', attempt, say: saying('False', 'RollingBack', 'working', message) };
  }
  const { attempt: _, ...rest } = record;
  const meant = meantBy(repository);
  const bad = { commit: attempt.commit, message: why, atMs: nowMs, meant };
  return { kind: 'note', undo: 'drop', record: { ...rest, bad } };
}

function planDrift(facts: Facts): Step {
  const { repository, record } = facts;
  if (repository.spec.driftPolicy === 'correct') {
    const found = mendable(facts);
    if (found.length > 0) return putBack(found);
    const anothers = facts.drifted().map(({ drift }) => driftText(drift));
    if (anothers.length > 0) return rest(facts, 'Drifted', 'stalled', told(anothers));
  }
  const text = `${record.applied === undefined ? 'nothing' : named(record.applied)} is in force`;
  const failure = facts.remote.failure;
  const message =
    failure === undefined ? text : `${text}; the last look failed: ${failure.message}`;
  if (failure !== undefined) return rest(facts, `Fetch${failure.reason}`, 'stalled', message);
  return {
    kind: 'rest',
    say: saying('True', 'Applied', 'resting', message),
    recheckInMs: facts.remote.nextInMs,
  };
}

function rest(
  { remote }: Facts,
  reason: RepositoryReason,
  mood: Say['mood'],
  message: string,
  recheckInMs: number = Infinity,
): Step & { kind: 'rest' } {
  const inMs = Math.min(recheckInMs, remote.nextInMs);
  const status = reason === 'Suspended' || reason === 'Fetching' ? 'Unknown' : 'False';
  return { kind: 'rest', say: saying(status, reason, mood, message), recheckInMs: inMs };
}
