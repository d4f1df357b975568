import { parseDurationMs } from '../../../api/duration.ts';
import { ROLLOUT_RESUMED } from '../../../api/requests.ts';
import type { Site } from '../../../api/site.ts';
import { releaseOn, releasesServed } from '../../../runtime/content/site-releases.ts';
import type { Check, CheckPorts } from '../check.ts';
import type { ObjectChanges } from '../objects/object-changes.ts';

/** Of two clocks by which a time was measured one may go so much slower, and both round. */
const DRIFT = 0.95;
/** Stands for the nodes that are not ahead. */
const MOST = '(most)';

interface Undone {
  readonly release: string;
  readonly request: string | undefined;
}

/**
 * INV-28 and INV-27, at each change of what nodes are told to serve of a Site:
 *
 * - From one batch of a rolling rollout to the next, and to its end, it takes as long as the Site
 *   says that a batch is observed.
 * - What was undone is told to nobody, until the spec has named another release or a person resumed.
 * - Whoever is told another release is told a later time of its switch, in whole seconds.
 */
export function rolloutsCheck(
  { violated, reached, nowMs }: Pick<CheckPorts, 'violated' | 'reached' | 'nowMs'>,
  changes: ObjectChanges,
): Check {
  /** By uid and start of a rollout: when its last batch was switched. */
  const batches = new Map<string, number>();
  const undone = new Map<string, Undone>();
  /** Names of Nodes that were removed: who joins under one has nothing to switch from. */
  const removed = new Set<string>();

  function check(before: Site, after: Site, where: string): void {
    const { uid } = after.metadata;
    const request = after.metadata.annotations?.[ROLLOUT_RESUMED];
    const stopped = undone.get(uid);
    if (stopped !== undefined) {
      const isOver = after.spec.content?.release !== stopped.release || request !== stopped.request;
      if (isOver) undone.delete(uid);
      else if (releasesServed(after.status).includes(stopped.release))
        violated(28, `${where} tries ${stopped.release} again, which was undone`);
    }
    faultOfBatch(before, after, where);
    faultOfTimes(before, after, where);
    const { rollout } = after.status ?? {};
    if (rollout?.phase === 'undone' && before.status?.rollout?.phase !== 'undone') {
      undone.set(uid, { release: rollout.release, request });
      reached('rollout undone');
    }
  }

  function faultOfBatch(before: Site, after: Site, where: string): void {
    const { rollout, ahead = [], release } = after.status ?? {};
    if (rollout === undefined) return;
    const key = `${after.metadata.uid} ${rollout.release} ${rollout.startedAt}`;
    const nodesOf = (site: Site): readonly string[] =>
      site.status?.ahead?.find((each) => each.release === rollout.release)?.nodes ?? [];
    const known = new Set(nodesOf(before));
    const isNext = nodesOf(after).some((node) => !known.has(node));
    const isEnd = known.size > 0 && release === rollout.release && ahead.length === 0;
    if (!isNext && !isEnd) return;
    const sinceMs = nowMs() - (batches.get(key) ?? Number.NEGATIVE_INFINITY);
    const { strategy, observe = '0s' } = after.spec.rollout ?? {};
    const observeMs = parseDurationMs(observe) ?? 0;
    if (strategy === 'rolling' && sinceMs < observeMs * DRIFT)
      violated(28, `${where} goes on with ${rollout.release} ${sinceMs} ms after the last batch`);
    batches.set(key, nowMs());
    reached(isEnd ? 'rolling rollout done' : 'batch switched');
  }

  function faultOfTimes(before: Site, after: Site, where: string): void {
    const ahead = [...(before.status?.ahead ?? []), ...(after.status?.ahead ?? [])];
    for (const node of [MOST, ...new Set(ahead.flatMap(({ nodes }) => nodes))]) {
      const [was, is] = [releaseOn(before.status, node), releaseOn(after.status, node)];
      if (is === undefined || was === undefined || was.release === is.release) continue;
      if (removed.has(node)) continue;
      const [from, to] = [was, is].map((each) => Date.parse(each.switchedAt ?? '1970-01-01'));
      if (from === undefined || to === undefined) continue;
      if (to <= from) violated(27, `${where} switches ${node} at ${is.switchedAt} or before`);
      if (to % 1000 !== 0) violated(27, `${where} switches ${node} within a second`);
    }
  }

  return {
    committed(commit) {
      for (const { key, plural, before, after } of changes.of(commit)) {
        if (plural === 'nodes' && before !== undefined && after === undefined)
          removed.add(before.metadata.name);
        if (plural !== 'sites' || before === undefined || after === undefined) continue;
        if (before.metadata.uid !== after.metadata.uid) continue;
        check(before as Site, after as Site, `commit ${commit.revision} of ${key}`);
      }
    },
  };
}
