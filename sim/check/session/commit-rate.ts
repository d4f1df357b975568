import type { Check, CheckPorts } from '../check.ts';

/** All within so long. */
export const PERIOD_MS = 10_000;
/** The busiest of 30 seeds, with up to 15 nodes: 280. */
export const COMMITS_MAX = 1_500;
/** In large worlds, where all nodes may join at once. */
export const COMMITS_PER_NODE_MAX = 50;

/**
 * INV-2: a write that calls for the next one never ends. So many commits are no reaction to what
 * people do; and a world in such a loop would take for ever to get to its end.
 */
export function commitRateCheck({ violated, nowMs }: CheckPorts, nodes: () => number): Check {
  let since = { ms: 0, count: 0 };
  return {
    committed({ process, transaction: { writes } }) {
      if (nowMs() - since.ms >= PERIOD_MS) since = { ms: nowMs(), count: 0 };
      since.count += 1;
      if (since.count <= Math.max(COMMITS_MAX, COMMITS_PER_NODE_MAX * nodes())) return;
      const keys = writes.map(({ key }) => key).join(' ');
      violated(2, `${since.count} commits within ${PERIOD_MS} ms; ${process} writes ${keys}`);
    },
  };
}
