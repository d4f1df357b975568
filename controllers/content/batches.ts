import type { NodeView } from '../../runtime/session/node-view.ts';
import { illnessOf } from './health.ts';
import {
  ageMs,
  type Decision,
  deadlineMs,
  hasVerified,
  isQuorum,
  type Progress,
  type RolloutFacts,
  resumeRequest,
} from './progress.ts';
import { switchAll, switchSome } from './standing.ts';
import { WATCH_INTERVAL_MS } from './watch.ts';

/**
 * Decides the next step of a rolling rollout: the first batch once enough edges have verified the
 * release, each later one once those before it were watched and did no worse; in the end all of
 * them, those included that were away or ill. What does worse is undone, or halted for a person.
 */
export function planBatches(facts: RolloutFacts, progress: Progress, nowMs: number): Decision {
  const { site, verdict } = facts;
  const { desired, rules, standing, ready, isEnough, isLate, rollout } = progress;
  const switched = standing.ahead.find(({ release }) => release === desired)?.nodes ?? [];
  const hold = { ...standing, phase: switched.length > 0 ? 'rolling' : 'verifying' } as const;
  if (switched.length === 0 && !isEnough) {
    const waits = ready.length > 0 && !isLate;
    const leftMs = deadlineMs(rules) - ageMs(rollout.startedAt, nowMs);
    return { ...hold, recheckInMs: waits ? leftMs : Infinity };
  }
  if (switched.length > 0 && verdict === undefined)
    return { ...hold, recheckInMs: WATCH_INTERVAL_MS };
  if (verdict?.kind === 'watching') return { ...hold, recheckInMs: verdict.recheckInMs };
  if (verdict?.kind === 'worse') return stop(site, { progress, why: verdict.why }, nowMs);
  const left = ready.filter(({ name }) => !switched.includes(name));
  const fit = left.filter(
    (edge) => hasVerified(edge, site, desired) && illnessOf(edge, facts) === undefined,
  );
  const nodes = fit.slice(0, batchSize(rules.batch, ready)).map(({ name }) => name);
  if (nodes.length > 0) {
    const batchAt = new Date(nowMs).toISOString();
    const next = switchSome(standing, { release: desired, nodes }, nowMs);
    return { ...next, phase: 'rolling', noted: { batchAt }, recheckInMs: WATCH_INTERVAL_MS };
  }
  // Nobody is left who could be switched and watched: only those that are behind, away or ill.
  const waitMs = deadlineMs(rules);
  const waitedMs = ageMs(rollout.batchAt ?? rollout.startedAt, nowMs);
  const isWaited = waitedMs >= waitMs && isQuorum(switched.length, ready.length, rules);
  if (switched.length > 0 && (left.length === 0 || isWaited))
    return { ...switchAll(standing, desired, nowMs), phase: 'done', recheckInMs: Infinity };
  // The clock went back, and would have everybody wait for as long again.
  const noted = waitedMs < 0 ? { batchAt: new Date(nowMs).toISOString() } : undefined;
  const leftMs = waitMs - Math.max(0, waitedMs);
  return { ...hold, noted, recheckInMs: leftMs > 0 ? leftMs : Infinity };
}

/** Goes back to what was served before, or waits for a person; either way nothing is tried again. */
function stop(
  site: RolloutFacts['site'],
  { progress, why }: { readonly progress: Progress; readonly why: string },
  nowMs: number,
): Decision {
  const { standing, rules } = progress;
  const request = resumeRequest(site);
  const noted = { message: why, ...(request !== undefined && { request }) };
  if (rules.onFailure === 'pause' || standing.serving === undefined)
    return { ...standing, phase: 'halted', noted, recheckInMs: Infinity };
  const finishedAt = new Date(nowMs).toISOString();
  return {
    ...switchAll(standing, standing.serving, nowMs),
    phase: 'undone',
    noted: { ...noted, finishedAt },
    recheckInMs: Infinity,
  };
}

/** At least one; of the connected edges where it is a share. */
function batchSize(batch: string, ready: readonly NodeView[]): number {
  const number = Number.parseInt(batch, 10);
  return batch.endsWith('%') ? Math.max(1, Math.floor((ready.length * number) / 100)) : number;
}
