import type { Position } from '../../../proto/gen/b8s/v1/plan.ts';
import type { Check, CheckPorts } from '../check.ts';

/** INV-14: positions of one node never go back, also across its restarts. */
export function positionsCheck({ violated }: CheckPorts): Check {
  const last = new Map<string, Position>();
  return {
    moved({ node, which, position }) {
      const key = `${node} ${which}`;
      const before = last.get(key);
      if (before !== undefined && isBefore(position, before))
        violated(14, `${key} ${textOf(position)} after ${textOf(before)}`);
      last.set(key, position);
    },
    // INV-17: that must not show.
    storeReplaced: () => undefined,
    installed(node) {
      for (const which of ['held', 'applied']) last.delete(`${node} ${which}`);
    },
  };
}

/** Not as the agent compares them, for what it gets wrong must not look right here. */
function isBefore(one: Position, other: Position): boolean {
  return one.epoch === other.epoch ? one.revision < other.revision : one.epoch < other.epoch;
}

function textOf({ epoch, revision }: Position): string {
  return `epoch ${epoch} revision ${revision}`;
}
