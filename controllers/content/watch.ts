/** How often nodes that were switched are looked at. */
export const WATCH_INTERVAL_MS = 1_000;
/** What lies between two looks counts as seen for no longer: a dom that stood still saw nothing. */
const SEEN_MS_MAX = 2 * WATCH_INTERVAL_MS;
/** A node may be away, or behind, for so long in all before its release is blamed, at the least. */
export const PATIENCE_MS_MIN = 10_000;
/** Fewer requests, or errors, say nothing. */
export const REQUESTS_MIN = 20;
export const ERRORS_MIN = 5;

/** Answers of some nodes; errors are those with a status of 500 and above. */
export interface Answers {
  readonly requests: number;
  readonly errors: number;
}

export const NO_ANSWERS: Answers = { requests: 0, errors: 0 };

/** What is seen at one moment of nodes that were switched to a release, and of the others. */
export interface Sighting {
  /** The rollout, and the nodes that were switched: with other ones the watch begins anew. */
  readonly rollout: string;
  readonly batch: string;
  /** What is wrong with switched nodes, for a person; empty: nothing. */
  readonly ills: readonly string[];
  /** The others are no better off, so the release is not to blame. */
  readonly isCommon: boolean;
  /** Counts that only grow while the batch is the same. */
  readonly switched: Answers;
  readonly others: Answers;
}

export interface WatchRules {
  readonly observeMs: number;
  readonly errorPercent: number;
}

export type Verdict =
  | { readonly kind: 'watching'; readonly recheckInMs: number; readonly ills: readonly string[] }
  /** Nothing was wrong for as long as it is to be watched. */
  | { readonly kind: 'well' }
  | { readonly kind: 'worse'; readonly why: string };

/** What was seen so far. Kept in memory: a dom that begins to lead begins to watch. */
export interface Watched {
  readonly rollout: string;
  readonly batch: string;
  readonly state: 'well' | 'ill' | 'common';
  readonly seenMs: number;
  /** How long nothing was wrong, up to now. */
  readonly wellMs: number;
  /** How long something was wrong, in all. */
  readonly illMs: number;
  /** The counts when the batch began… */
  readonly first: { readonly switched: Answers; readonly others: Answers };
  /** …those of the others by now… */
  readonly others: Answers;
  /** …and what the others had answered in the batches before. */
  readonly othersBefore: Answers;
}

/**
 * Pure: one look at a batch. `nowMs` is monotonic. A node that comes and goes uses up its patience
 * bit by bit, so that every batch ends: well, or worse.
 */
export function watchBatch(
  before: Watched | undefined,
  seen: Sighting,
  { rules, nowMs }: { readonly rules: WatchRules; readonly nowMs: number },
): { readonly watched: Watched; readonly verdict: Verdict } {
  const state = seen.ills.length === 0 ? 'well' : seen.isCommon ? 'common' : 'ill';
  const isSame = before?.batch === seen.batch && before.rollout === seen.rollout;
  if (!isSame) {
    const begun = begin(before, seen, nowMs);
    return { watched: { ...begun, state }, verdict: watching(0, seen, rules) };
  }
  const sinceMs = Math.min(Math.max(0, nowMs - before.seenMs), SEEN_MS_MAX);
  const isWell = before.state === 'well' && state === 'well';
  const wellMs = isWell ? before.wellMs + sinceMs : 0;
  const illMs = before.state === 'ill' ? before.illMs + sinceMs : before.illMs;
  const watched: Watched = {
    ...{ ...before, state, seenMs: nowMs, wellMs, illMs },
    others: seen.others,
  };
  const errors = tooManyErrors(watched, seen, rules.errorPercent);
  if (errors !== undefined) return { watched, verdict: { kind: 'worse', why: errors } };
  if (state === 'ill' && illMs >= Math.max(rules.observeMs, PATIENCE_MS_MIN))
    return { watched, verdict: { kind: 'worse', why: seen.ills.join('; ') } };
  if (wellMs >= rules.observeMs) return { watched, verdict: { kind: 'well' } };
  return { watched, verdict: watching(wellMs, seen, rules) };
}

function begin(before: Watched | undefined, seen: Sighting, nowMs: number): Watched {
  const { rollout, batch, switched, others } = seen;
  const othersBefore =
    before?.rollout === rollout
      ? sum(before.othersBefore, difference(before.others, before.first.others))
      : NO_ANSWERS;
  return {
    ...{ rollout, batch, state: 'well', seenMs: nowMs, wellMs: 0, illMs: 0 },
    ...{ first: { switched, others }, others, othersBefore },
  };
}

function watching(wellMs: number, { ills }: Sighting, { observeMs }: WatchRules): Verdict {
  const recheckInMs = Math.min(WATCH_INTERVAL_MS, observeMs - wellMs);
  return { kind: 'watching', recheckInMs, ills };
}

/** For a person; undefined: not more than there may be, or too few to say. */
function tooManyErrors(
  { first, othersBefore }: Watched,
  seen: Sighting,
  errorPercent: number,
): string | undefined {
  const switched = difference(seen.switched, first.switched);
  if (switched.requests < REQUESTS_MIN || switched.errors < ERRORS_MIN) return undefined;
  const meanwhile = difference(seen.others, first.others);
  // Those that came last have nobody beside them: they are held against what was before.
  const others = meanwhile.requests >= REQUESTS_MIN ? meanwhile : sum(othersBefore, meanwhile);
  const percent = percentOf(switched);
  const usual = others.requests >= REQUESTS_MIN ? percentOf(others) : 0;
  if (percent - usual <= errorPercent) return undefined;
  const shown = (each: number): string => `${Math.round(each * 10) / 10} %`;
  return `${shown(percent)} of the answers are errors (5xx), of the others' ${shown(usual)}`;
}

function percentOf({ requests, errors }: Answers): number {
  return (100 * errors) / requests;
}

/** Nodes that were removed take their counts with them. */
function difference(now: Answers, then: Answers): Answers {
  return {
    requests: Math.max(0, now.requests - then.requests),
    errors: Math.max(0, now.errors - then.errors),
  };
}

function sum(one: Answers, other: Answers): Answers {
  return { requests: one.requests + other.requests, errors: one.errors + other.errors };
}
