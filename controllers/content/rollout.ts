import type { RolloutStatus } from '../../api/site-rollout.ts';
import type { ConditionInput } from '../../runtime/control/conditions.ts';
import { planBatches } from './batches.ts';
import {
  ageMs,
  type Decision,
  deadlineMs,
  type Progress,
  progressOf,
  type RolloutFacts,
} from './progress.ts';
import { conditionOf, noRelease, releaseNotFound } from './rollout-words.ts';
import { type Standing, standingOf, switchAll } from './standing.ts';

export interface RolloutPlan extends Standing {
  readonly rollout: RolloutStatus | undefined;
  readonly condition: ConditionInput;
  /** When the decision could change with no further event; Infinity if it cannot. */
  readonly recheckInMs: number;
}

/**
 * Decides which release edges are told to serve. They switch only to what they have verified
 * (INV-28): the desired release once every connected edge has it, all at once or in batches. Silent
 * edges do not hold it up, they catch up on their return. What is served stays while the desired
 * release cannot be.
 */
export function planRollout(facts: RolloutFacts, nowMs: number): RolloutPlan {
  const { site, release, edges } = facts;
  const desired = site.spec.content?.release;
  const standing = standingOf(site, edges);
  const unchanged = { ...standing, rollout: site.status?.rollout, recheckInMs: Infinity };
  if (desired === undefined) return { ...unchanged, condition: noRelease(site) };
  if (release === undefined) return { ...unchanged, condition: releaseNotFound(desired) };
  const progress = progressOf(facts, { desired, standing }, nowMs);
  const { phase, noted, recheckInMs, ...next } = decide(facts, progress, nowMs);
  const rollout = rolloutStatus(progress, { phase, noted, next }, nowMs);
  return {
    ...next,
    rollout,
    condition: conditionOf({ ...facts, ...progress, ...next, rollout }),
    recheckInMs,
  };
}

/** What is served by edges is nobody's choice but a person's while any of this holds. */
function decide(facts: RolloutFacts, progress: Progress, nowMs: number): Decision {
  const { desired, rules, standing, isEnough, isLate, ready, rollout } = progress;
  const { serving, ahead } = standing;
  const isSettled = serving === desired && ahead.length === 0;
  if (isSettled) return { ...standing, phase: 'done', recheckInMs: Infinity };
  const { phase = 'verifying' } = rollout;
  const hold = { ...standing, recheckInMs: Infinity };
  // Back to what most serve: who went ahead comes back, and nothing new is tried.
  if (serving === desired)
    return { ...hold, ...switchAll(standing, desired, nowMs), phase: 'done' };
  if (phase === 'undone' || phase === 'halted') return { ...hold, phase };
  if (rules.paused) return { ...hold, phase: 'paused' };
  // There is nothing to go back to, so nothing is gained by being slow.
  if (rules.strategy === 'rolling' && serving !== undefined)
    return planBatches(facts, progress, nowMs);
  if (isEnough) return { ...hold, ...switchAll(standing, desired, nowMs), phase: 'done' };
  const waits = ready.length > 0 && !isLate;
  const recheckInMs = waits ? deadlineMs(rules) - ageMs(rollout.startedAt, nowMs) : Infinity;
  return { ...hold, phase: 'verifying', recheckInMs };
}

function rolloutStatus(
  { desired, ready, missing, rollout }: Progress,
  decided: Pick<Decision, 'phase' | 'noted'> & { readonly next: Standing },
  nowMs: number,
): RolloutStatus {
  const { phase, noted, next } = decided;
  const isEverywhere = phase === 'done' && ready.length > 0 && missing.length === 0;
  const finished = isEverywhere ? { finishedAt: new Date(nowMs).toISOString() } : {};
  const group = next.ahead.find(({ release }) => release === desired);
  const { switched: _, ...known } = rollout;
  return {
    ...finished,
    // A moment when it was finished, once noted, comes last and so stays.
    ...known,
    phase,
    ...noted,
    ...(group !== undefined && { switched: group.nodes.length }),
  };
}
