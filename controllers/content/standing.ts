import type { Site, SiteStatus } from '../../api/site.ts';
import type { NodesAhead } from '../../api/site-rollout.ts';
import type { NodeView } from '../../runtime/session/node-view.ts';

/** What edges are told to serve of a Site. */
export interface Standing {
  readonly serving: string | undefined;
  /** When `serving` was switched to, RFC 3339. */
  readonly switchedAt: string | undefined;
  /** Edges that are told something else; see `status.ahead`. */
  readonly ahead: readonly NodesAhead[];
}

/** As the status has it, without edges that are none any more. */
export function standingOf({ status }: Site, edges: readonly NodeView[]): Standing {
  const { release, switchedAt, ahead = [] } = status ?? {};
  const known = new Set(edges.map(({ name }) => name));
  return { serving: release, switchedAt, ahead: reduced(ahead, (node) => known.has(node)) };
}

/** Everybody is switched to one release. */
export function switchAll(
  { serving, switchedAt, ahead }: Standing,
  release: string,
  nowMs: number,
): Standing {
  const own = serving === release ? undefined : ahead.find((each) => each.release === release);
  const times = [switchedAt, ...ahead.map((each) => each.switchedAt)];
  return { serving: release, switchedAt: timeOf(own, times, nowMs), ahead: [] };
}

/** Some more nodes are switched to a release. */
export function switchSome(
  { serving, switchedAt, ahead }: Standing,
  { release, nodes }: { readonly release: string; readonly nodes: readonly string[] },
  nowMs: number,
): Standing {
  const own = ahead.find((each) => each.release === release);
  const others = ahead.filter((each) => each !== own);
  const times = [switchedAt, ...ahead.map((each) => each.switchedAt)];
  const next: NodesAhead = {
    release,
    switchedAt: timeOf(own, times, nowMs),
    nodes: [...(own?.nodes ?? []), ...nodes].toSorted(),
  };
  return {
    ...{ serving, switchedAt },
    ahead: [...reduced(others, (node) => !nodes.includes(node)), next],
  };
}

/** The members of a status that say it. */
export function standingStatus({
  serving,
  switchedAt,
  ahead,
}: Standing): Pick<SiteStatus, 'release' | 'switchedAt' | 'ahead'> {
  return {
    ...(serving !== undefined && { release: serving }),
    ...(switchedAt !== undefined && { switchedAt }),
    ...(ahead.length > 0 && { ahead }),
  };
}

/**
 * When a release counts as switched to: those that serve it already see no other time, unless there
 * are nodes that come to it from what was switched to later.
 */
function timeOf(
  own: NodesAhead | undefined,
  times: readonly (string | undefined)[],
  nowMs: number,
): string {
  const isNewest = own !== undefined && times.every((time) => (time ?? '') <= own.switchedAt);
  return isNewest ? own.switchedAt : nextSwitch(times, nowMs);
}

const SECOND_MS = 1000;

/** In whole seconds, as HTTP has them, and later than any before, whatever the clock says. */
function nextSwitch(times: readonly (string | undefined)[], nowMs: number): string {
  const latestMs = Math.max(0, ...times.map((time) => (time === undefined ? 0 : Date.parse(time))));
  const thisMs = Math.floor(nowMs / SECOND_MS) * SECOND_MS;
  return new Date(Math.max(latestMs + SECOND_MS, thisMs)).toISOString();
}

function reduced(
  ahead: readonly NodesAhead[],
  stays: (node: string) => boolean,
): readonly NodesAhead[] {
  return ahead
    .map((each) => ({ ...each, nodes: each.nodes.filter(stays) }))
    .filter(({ nodes }) => nodes.length > 0);
}
