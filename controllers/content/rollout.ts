import type { Release } from '../../api/release.ts';
import type { Site, SiteStatus } from '../../api/site.ts';
import type { ConditionInput } from '../../runtime/conditions.ts';
import type { NodeView } from '../../runtime/node-view.ts';
import { shortDigest, shortList } from './words.ts';

/** How long one slow edge may hold up the others; after it, more than half of them are enough. */
export const ROLLOUT_DEADLINE_MS = 10 * 60 * 1000;

export interface RolloutFacts {
  readonly site: Site;
  /** The Release that the spec names, if it is there. */
  readonly release: Release | undefined;
  /** Every node with the role edge, connected or not. */
  readonly edges: readonly NodeView[];
}

export interface RolloutPlan {
  /** What edges are to answer with; undefined: nothing yet. */
  readonly serving: string | undefined;
  readonly rollout: SiteStatus['rollout'];
  readonly condition: ConditionInput;
  /** When the decision could change with no further event; Infinity if it cannot. */
  readonly recheckInMs: number;
}

/**
 * Decides which release a site is served from. All edges switch at once, and only to what they have
 * verified (INV-28): the desired release once every connected edge has it. Silent edges do not hold
 * it up, they catch up on their return. What is served stays while the desired release cannot be.
 */
export function planRollout(facts: RolloutFacts, nowMs: number): RolloutPlan {
  const { site, release, edges } = facts;
  const desired = site.spec.content?.release;
  const before = { serving: site.status?.release, rollout: site.status?.rollout };
  if (desired === undefined)
    return { ...before, condition: noRelease(site), recheckInMs: Infinity };
  if (release === undefined)
    return { ...before, condition: releaseNotFound(desired), recheckInMs: Infinity };
  const ready = edges.filter(({ connected }) => connected);
  const missing = ready.filter((edge) => !hasVerified(edge, site, desired));
  const total = ready.length;
  const verified = total - missing.length;
  const started =
    before.rollout?.release === desired && !isOfFuture(before.rollout, nowMs)
      ? before.rollout
      : { release: desired, startedAt: new Date(nowMs).toISOString() };
  const isComplete = total > 0 && verified === total;
  const ageMs = nowMs - Date.parse(started.startedAt);
  const isLate = ageMs >= ROLLOUT_DEADLINE_MS;
  const isEnough = isComplete || (isLate && verified * 2 > total);
  const serving = before.serving === desired || isEnough ? desired : before.serving;
  const finished = isComplete ? { finishedAt: new Date(nowMs).toISOString() } : {};
  const waits = serving !== desired && total > 0 && !isLate;
  return {
    serving,
    // A moment when it was finished, once noted, comes last and so stays.
    rollout: { ...finished, ...started, verified, total },
    condition: conditionOf({ ...facts, desired, serving, missing, total, isLate }),
    recheckInMs: waits ? ROLLOUT_DEADLINE_MS - ageMs : Infinity,
  };
}

/** The clock went back since it began: by what it says, its deadline would not come for as long. */
function isOfFuture(rollout: NonNullable<SiteStatus['rollout']>, nowMs: number): boolean {
  return rollout.finishedAt === undefined && Date.parse(rollout.startedAt) > nowMs;
}

function hasVerified(edge: NodeView, site: Site, release: string): boolean {
  return edge.site(site.metadata.uid)?.verified.includes(release) ?? false;
}

const type = 'ContentReady';
const ERROR_MAX = 120;

function noRelease({ spec }: Site): ConditionInput {
  const path = spec.content?.path;
  if (path === undefined) {
    const message = 'spec.content names nothing to serve: publish a folder with b8sctl push';
    return { type, status: 'False', reason: 'NoContent', message };
  }
  const message = `spec.content.path "${path}" is not uploaded: run b8sctl apply where it is`;
  return { type, status: 'False', reason: 'ContentNotUploaded', message };
}

function releaseNotFound(desired: string): ConditionInput {
  const name = shortDigest(desired);
  const message = `there is no Release ${name}: push it with b8sctl apply or b8sctl push`;
  return { type, status: 'False', reason: 'ReleaseNotFound', message };
}

function conditionOf(state: {
  readonly site: Site;
  readonly edges: readonly NodeView[];
  readonly desired: string;
  readonly serving: string | undefined;
  readonly missing: readonly NodeView[];
  readonly total: number;
  readonly isLate: boolean;
}): ConditionInput {
  const { site, edges, desired, serving, missing, total, isLate } = state;
  const name = shortDigest(desired);
  const verified = `${name} is verified on ${total - missing.length}/${total} edges`;
  if (serving === desired) return { type, status: 'True', reason: 'Verified', message: verified };
  if (edges.length === 0) {
    const message = `${name} waits for an edge: no node has the role edge in spec.roles`;
    return { type, status: 'False', reason: 'NoEdges', message };
  }
  if (total === 0) {
    const silent = shortList(edges.map((edge) => edge.name));
    const message = `${name} waits for an edge to connect: ${silent}`;
    return { type, status: 'False', reason: 'EdgesSilent', message };
  }
  const waiting = shortList(missing.map((edge) => nameWithError(edge, site)));
  const message = `${verified}; waiting for ${waiting}`;
  return { type, status: 'False', reason: isLate ? 'RolloutStalled' : 'RollingOut', message };
}

/** `london`, or `london (what it says is wrong)`, cut so that a row of nodes stays readable. */
export function nameWithError(edge: NodeView, site: Site): string {
  const error = edge.site(site.metadata.uid)?.error ?? '';
  const shown = error.length > ERROR_MAX ? `${error.slice(0, ERROR_MAX)}…` : error;
  return shown === '' ? edge.name : `${edge.name} (${shown})`;
}
