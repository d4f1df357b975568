import { parseDurationMs } from '../../api/duration.ts';
import type { Release } from '../../api/release.ts';
import { ROLLOUT_RESUMED } from '../../api/requests.ts';
import type { Site } from '../../api/site.ts';
import { ROLLOUT_DEFAULTS, type RolloutSpec, type RolloutStatus } from '../../api/site-rollout.ts';
import type { NodeView } from '../../runtime/session/node-view.ts';
import type { Standing } from './standing.ts';
import type { Verdict } from './watch.ts';

export interface RolloutFacts {
  readonly site: Site;
  /** The Release that the spec names, if it is there. */
  readonly release: Release | undefined;
  /** Every node with the role edge, connected or not. */
  readonly edges: readonly NodeView[];
  /** What most nameservers cannot reach; left out: nothing. */
  readonly unreachable?: ReadonlySet<string>;
  /** What was seen of the nodes that were switched so far; left out: none are watched. */
  readonly verdict?: Verdict | undefined;
}

/** How far a release has come, before it is decided what follows from that. */
export interface Progress {
  readonly desired: string;
  readonly rules: RolloutSpec;
  readonly standing: Standing;
  /** Connected edges. */
  readonly ready: readonly NodeView[];
  /** Of these, those that have not verified it. */
  readonly missing: readonly NodeView[];
  /** Every connected edge has verified it, or enough when it was waited for them long enough. */
  readonly isEnough: boolean;
  readonly isLate: boolean;
  readonly rollout: RolloutStatus;
}

/** What follows: what edges are told from now on, and how the rollout stands with that. */
export interface Decision extends Standing {
  readonly phase: NonNullable<RolloutStatus['phase']>;
  /** Changes of `status.rollout` beyond its phase. */
  readonly noted?: Partial<RolloutStatus> | undefined;
  readonly recheckInMs: number;
}

/** How far the release is that the spec names. */
export function progressOf(
  { site, edges }: RolloutFacts,
  { desired, standing }: { readonly desired: string; readonly standing: Standing },
  nowMs: number,
): Progress {
  const rules = site.spec.rollout ?? ROLLOUT_DEFAULTS;
  const ready = edges.filter(({ connected }) => connected);
  const missing = ready.filter((edge) => !hasVerified(edge, site, desired));
  const total = ready.length;
  const verified = total - missing.length;
  const rollout = { ...startedRollout(site, { desired, standing }, nowMs), verified, total };
  const isLate = ageMs(rollout.startedAt, nowMs) >= deadlineMs(rules);
  const isComplete = total > 0 && missing.length === 0;
  const isEnough = isComplete || (isLate && isQuorum(verified, total, rules));
  return { desired, rules, standing, ready, missing, isEnough, isLate, rollout };
}

/** The rollout that is under way or over; a new one where the spec names another release by now. */
function startedRollout(
  site: Site,
  { desired, standing }: { readonly desired: string; readonly standing: Standing },
  nowMs: number,
): RolloutStatus {
  const before = site.status?.rollout;
  const isStopped = before?.phase === 'undone' || before?.phase === 'halted';
  const isSame = before?.release === desired && (isStopped || !isOfFuture(before, nowMs));
  const isResumed = isStopped && resumeRequest(site) !== before?.request;
  if (isSame && !isResumed) return before;
  // Who was switched before it was halted stays so; what was undone begins at its beginning.
  if (isSame && before.phase === 'halted') {
    const { message: _, request: __, ...rest } = before;
    return { ...rest, phase: 'rolling', ...resumedAt(site) };
  }
  const { serving, ahead } = standing;
  const from = serving === desired ? ahead.at(-1)?.release : serving;
  const startedAt = new Date(nowMs).toISOString();
  return {
    release: desired,
    ...(from !== undefined && { from }),
    verified: 0,
    total: 0,
    startedAt,
  };
}

/** Tells the watch that a person wants it to begin anew. */
function resumedAt(site: Site): Partial<RolloutStatus> {
  const request = resumeRequest(site);
  return request === undefined ? {} : { request };
}

export function resumeRequest({ metadata }: Site): string | undefined {
  return metadata.annotations?.[ROLLOUT_RESUMED];
}

/** The clock went back since it began: by what it says, its deadline would not come for as long. */
function isOfFuture(rollout: RolloutStatus, nowMs: number): boolean {
  return rollout.finishedAt === undefined && Date.parse(rollout.startedAt) > nowMs;
}

export function hasVerified(edge: NodeView, site: Site, release: string): boolean {
  return edge.site(site.metadata.uid)?.verified.includes(release) ?? false;
}

export function isQuorum(count: number, total: number, { quorumPercent }: RolloutSpec): boolean {
  return count > 0 && count * 100 >= total * quorumPercent;
}

export function deadlineMs({ deadline }: RolloutSpec): number {
  return parseDurationMs(deadline) ?? Infinity;
}

export function ageMs(time: string, nowMs: number): number {
  return nowMs - Date.parse(time);
}
