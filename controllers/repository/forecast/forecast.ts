import { isDeepStrictEqual } from 'node:util';
import type { Resource } from '../../../api/object.ts';
import { durationOf } from '../../../api/repository.ts';
import type { Declarer, Effect } from '../../../runtime/declarer.ts';
import { declarationOf } from '../../../runtime/fields.ts';
import type { CommitSet, Facts } from '../facts.ts';
import { mendable } from '../plan/anothers.ts';
import { isBad } from '../plan/bad-commit.ts';
import { NO_CHANGES } from '../plan/change-digest.ts';
import { driftText } from '../plan/drift.ts';
import {
  type Apply,
  planRepository,
  type Removal,
  restAfterBad,
  type SetChange,
  type Step,
} from '../plan/plan.ts';
import { keptBecause } from '../plan/removals.ts';
import { type Checked, checkChanges, correctionOf } from '../plan/steps.ts';
import type { Say } from '../words.ts';

/** What the controller would do for a commit. */
export interface Forecast {
  readonly holds: readonly Hold[];
  /** In the order in which they would be made. */
  readonly changes: readonly ForecastChange[];
  /** See `changeDigest`; empty: nothing is done of the commit. */
  readonly digest: string;
}

/** Why nothing is done, or not yet. */
export interface Hold {
  /** As the condition Ready has it. */
  readonly reason: string;
  readonly message: string;
  /** It ends by itself or by a person's word, and the changes are those after it. */
  readonly passes: boolean;
}

export interface ForecastChange {
  readonly key: string;
  /** `keep`: nothing but who keeps it changes. `put back`: it has drifted. */
  readonly action: 'create' | 'update' | 'keep' | 'delete' | 'let go' | 'hand over' | 'put back';
  /** For a person; may be empty. */
  readonly why: string;
  readonly file: string;
  /** 0: of no line. */
  readonly line: number;
  readonly before: Resource | undefined;
  readonly after: Resource | undefined;
  /** Of a Secret the names of the values that would be others. */
  readonly changedValues: readonly string[];
}

/** More steps than any commit needs before it writes an object. */
const STEPS_MAX = 20;

/**
 * Lets the controller's own plan take its steps up to the first that would write an object. What
 * holds it up and passes is noted, and taken as passed.
 */
export async function forecastOf(
  declarer: Pick<Declarer, 'check'>,
  start: Facts,
  { set, nowMs }: ForecastOptions,
): Promise<Forecast> {
  const holds: Hold[] = [];
  let facts = alone(start, set, holds);
  let checked: Checked = { problems: [], effects: new Map(), digest: NO_CHANGES };
  for (let turn = 0; turn < STEPS_MAX; turn += 1) {
    const step = planRepository(waited(facts, set), nowMs);
    const held = heldBy(step, facts, set);
    if (held !== undefined) {
      const lifted = lift(facts, set, held.ready.reason);
      holds.push({ ...held.ready, message: held.message, passes: lifted !== undefined });
      if (lifted === undefined) break;
      facts = lifted;
      continue;
    }
    if (step.kind === 'check') {
      checked = await checkChanges({ declarer }, facts, step);
      facts = { ...facts, verdict: { ...checked, commit: set.commit } };
    } else if (step.kind === 'note') {
      facts = { ...facts, record: step.record };
      if (step.record.attempt?.phase === 'waiting') break;
    } else {
      const changes = step.kind === 'change' ? step.changes : [];
      const told = changes.map((each) => changeOf(each, facts, checked));
      const drifted = await corrections(declarer, facts, changes);
      return { holds, changes: [...told, ...drifted], digest: checked.digest };
    }
  }
  const isRefused = holds.some(({ passes }) => !passes);
  const digest = isRefused ? '' : checked.digest;
  return { holds, changes: await corrections(declarer, facts, []), digest };
}

interface ForecastOptions {
  readonly set: CommitSet;
  readonly nowMs: number;
}

/** Whoever is waited for has had the time to read the commit, and has read it, or never does. */
function waited(facts: Facts, { commit }: CommitSet): Facts {
  const isBegun = facts.record.attempt?.commit === commit;
  return isBegun
    ? { ...facts, attemptForMs: durationOf(facts.repository.spec.timeout) / 2 }
    : facts;
}

/** Without what is under way: of another commit it ends first, of this one it is done anew. */
function alone(facts: Facts, set: CommitSet, holds: Hold[]): Facts {
  // Who else follows the remote is told by name of what goes there.
  const quiet: Facts = { ...facts, behind: () => undefined };
  const { attempt, ...record } = facts.record;
  if (attempt === undefined || (attempt.phase !== 'undoing' && attempt.commit !== set.commit))
    return quiet;
  if (attempt.phase === 'undoing') {
    const message = `commit ${attempt.commit} is being rolled back, which ends first: ${attempt.why ?? ''}`;
    holds.push({ reason: 'RollingBack', message, passes: true });
  }
  return { ...quiet, record };
}

/** What stands in the way of a commit; undefined: nothing does. */
function heldBy(step: Step, facts: Facts, set: CommitSet): Say | undefined {
  if (step.kind === 'rest') return step.say.ready.status === 'True' ? undefined : step.say;
  const { bad } = facts.record;
  if (step.kind !== 'correct' || bad === undefined || !isBad(facts, set.commit)) return undefined;
  // It puts back what is in force, and leaves the commit alone.
  return restAfterBad(facts, set, bad.message).say;
}

/** The same facts once it has passed; undefined: only another commit mends it. */
function lift(facts: Facts, { commit }: CommitSet, reason: string): Facts | undefined {
  const { repository, record } = facts;
  switch (reason) {
    case 'Suspended':
      return {
        ...facts,
        repository: { ...repository, spec: { ...repository.spec, suspend: false } },
      };
    case 'DependencyNotReady':
      return { ...facts, blockedBy: undefined };
    case 'MassDeletion':
      return { ...facts, record: { ...record, confirmed: commit } };
    case 'PlanChanged': {
      const { expected: _, ...rest } = record;
      return { ...facts, record: rest };
    }
    case 'BadCommit': {
      const { bad: _, ...rest } = record;
      return { ...facts, record: rest };
    }
    default:
      return undefined;
  }
}

function changeOf(change: SetChange, facts: Facts, checked: Checked): ForecastChange {
  return change.object === undefined
    ? removalOf(change, facts)
    : applyOf(change, facts, checked.effects.get(change.key));
}

function applyOf(
  { key, desired }: Apply,
  facts: Facts,
  effect: Effect | undefined,
): ForecastChange {
  const kept = facts.inventory.get(key)?.value;
  const { file } = desired;
  const isThere = effect?.before !== undefined;
  const action = !isThere ? 'create' : isSame(effect) ? 'keep' : 'update';
  const adopted = isThere && kept === undefined ? 'it was there, and becomes the Repository’s' : '';
  const moved = kept !== undefined && kept.file !== file ? `it was in ${kept.file}` : '';
  return {
    ...{ key, action, file, line: desired.locate(''), why: adopted === '' ? moved : adopted },
    ...{ before: effect?.before, after: effect?.after },
    changedValues: effect?.changedValues ?? [],
  };
}

/** Whether nothing that anybody declares changes; who owns it may. */
function isSame({ before, after, changedValues }: Effect): boolean {
  if (changedValues.length > 0) return false;
  return isDeepStrictEqual(declarationOf(before), declarationOf(after));
}

function removalOf({ key, how }: Removal, facts: Facts): ForecastChange {
  const live = facts.live(key);
  const kept = keptBecause(facts, key);
  const finalizers = live?.metadata.finalizers ?? [];
  const held = finalizers.length === 0 ? '' : `${finalizers.join(', ')} must let it go first`;
  const action = kept?.to === undefined ? how : 'hand over';
  return {
    ...{ key, action, why: kept?.why ?? held, file: '', line: 0, changedValues: [] },
    ...{ before: live, after: how === 'let go' ? live : undefined },
  };
}

/** What has drifted, and is not changed by the commit itself. */
async function corrections(
  declarer: Pick<Declarer, 'check'>,
  facts: Facts,
  changes: readonly SetChange[],
): Promise<readonly ForecastChange[]> {
  const { repository, inventory } = facts;
  if (repository.spec.driftPolicy !== 'correct') return [];
  const changed = new Set(changes.map(({ key }) => key));
  const drifted = Map.groupBy(
    mendable(facts).filter(({ key }) => !changed.has(key)),
    ({ key }) => key,
  );
  const found: ForecastChange[] = [];
  for (const [key, drift] of drifted) {
    const kept = inventory.get(key);
    if (kept === undefined) continue;
    const request = correctionOf(facts, key, kept.value);
    const effect = await declarer.check(request, { willFree: () => false });
    const why = drift.map((each) => driftText(each.drift)).join('; ');
    const { before, after, changedValues } = effect;
    const what = { key, action: 'put back', why, file: kept.value.file, line: 0 } as const;
    found.push({ ...what, before, after, changedValues });
  }
  return found;
}
