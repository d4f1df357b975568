import type { Site } from '../../api/site.ts';
import type { ConditionInput } from '../../runtime/control/conditions.ts';
import type { NodeView } from '../../runtime/session/node-view.ts';
import { illnessOf } from './health.ts';
import type { Progress, RolloutFacts } from './progress.ts';
import type { Standing } from './standing.ts';
import { nameWithError, shortDigest, shortList } from './words.ts';

const type = 'ContentReady';

export function noRelease({ spec }: Site): ConditionInput {
  const path = spec.content?.path;
  if (path === undefined) {
    const message = 'spec.content names nothing to serve: publish a folder with b8sctl push';
    return { type, status: 'False', reason: 'NoContent', message };
  }
  const message = `spec.content.path "${path}" is not uploaded: run b8sctl apply where it is`;
  return { type, status: 'False', reason: 'ContentNotUploaded', message };
}

export function releaseNotFound(desired: string): ConditionInput {
  const name = shortDigest(desired);
  const message = `there is no Release ${name}: push it with b8sctl apply or b8sctl push`;
  return { type, status: 'False', reason: 'ReleaseNotFound', message };
}

type State = RolloutFacts & Progress & Standing;

/** Whether what the spec names is served, and what it waits for, or who must do what, if not. */
export function conditionOf(state: State): ConditionInput {
  const { edges, desired, serving, missing, ready, rollout } = state;
  const name = shortDigest(desired);
  const total = ready.length;
  const verified = `${name} is verified on ${total - missing.length}/${total} edges`;
  if (serving === desired) return { type, status: 'True', reason: 'Verified', message: verified };
  const stopped = stoppedCondition(state, name);
  if (stopped !== undefined) return stopped;
  if (edges.length === 0) {
    const message = `${name} waits for an edge: no node has the role edge in spec.roles`;
    return { type, status: 'False', reason: 'NoEdges', message };
  }
  if (total === 0) {
    const silent = shortList(edges.map((edge) => edge.name));
    const message = `${name} waits for an edge to connect: ${silent}`;
    return { type, status: 'False', reason: 'EdgesSilent', message };
  }
  if (rollout.phase === 'rolling') return rollingCondition(state, name);
  // Those that have verified it and are not switched are ill.
  const waiting =
    missing.length > 0
      ? `waiting for ${shortList(missing.map((edge) => nameWithError(edge, state.site)))}`
      : `not switched while ${shortList(illsOf(state, ready))}`;
  const message = `${verified}; ${waiting}`;
  return { type, status: 'False', reason: stateReason(state), message };
}

function illsOf(state: State, edges: readonly NodeView[]): readonly string[] {
  return edges.flatMap((edge) => illnessOf(edge, state) ?? []);
}

function stateReason({ isLate }: State): string {
  return isLate ? 'RolloutStalled' : 'RollingOut';
}

function stoppedCondition(
  { site, rollout, ready, serving, desired }: State,
  name: string,
): ConditionInput | undefined {
  const resume = `b8sctl rollout resume site/${site.metadata.name}`;
  const count = `${rollout.switched ?? 0}/${ready.length} edges`;
  const { phase } = rollout;
  switch (phase) {
    case 'undone': {
      const before = serving === undefined || serving === desired ? '' : shortDigest(serving);
      const message = `${name} was undone, ${before} is served again: ${rollout.message}; publish another release, or try it again with ${resume}`;
      return { type, status: 'False', reason: 'RolloutUndone', message };
    }
    case 'halted': {
      const undo = `b8sctl rollout undo site/${site.metadata.name}`;
      const message = `${name} is halted on ${count}: ${rollout.message}; go back with ${undo}, or on with ${resume}`;
      return { type, status: 'False', reason: 'RolloutHalted', message };
    }
    case 'paused': {
      const message = `${name} is paused on ${count}; go on with ${resume}`;
      return { type, status: 'False', reason: 'RolloutPaused', message };
    }
    case 'verifying':
    case 'rolling':
    case 'done':
    case undefined:
      break;
  }
  return undefined;
}

/** The text stays the same while a batch is only watched: nothing is written for that. */
function rollingCondition(state: State, name: string): ConditionInput {
  const { ready, rollout } = state;
  const count = `${name} is served on ${rollout.switched ?? 0}/${ready.length} edges`;
  return { type, status: 'False', reason: 'RollingOut', message: `${count}; ${nextWords(state)}` };
}

function nextWords(state: State): string {
  const { site, edges, ahead, desired, ready, rules } = state;
  const switched = new Set(ahead.find(({ release }) => release === desired)?.nodes);
  const ills = illsOf(
    state,
    edges.filter((edge) => switched.has(edge.name)),
  );
  if (ills.length > 0) return `not well as yet: ${shortList(ills)}`;
  const behind = ready.filter((edge) => !switched.has(edge.name));
  if (behind.length === 0) return 'these are watched';
  const names = shortList(behind.map((edge) => nameWithError(edge, site)));
  return `next, if these do well for ${rules.observe}: ${names}`;
}
