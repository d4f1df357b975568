import { comparePositions, positionText } from '../../agent/session/plan-state.ts';
import type { Position } from '../../proto/gen/b8s/v1/plan.ts';
import type { Check, CheckPorts } from './check.ts';

/** INV-14: positions of one node never go back, also across its restarts. */
export function positionsCheck({ violated }: CheckPorts): Check {
  const last = new Map<string, Position>();
  return {
    moved({ node, which, position }) {
      const key = `${node} ${which}`;
      const before = last.get(key);
      if (before !== undefined && comparePositions(position, before) < 0)
        violated(14, `${key} ${positionText(position)} after ${positionText(before)}`);
      last.set(key, position);
    },
    installed(node) {
      for (const which of ['held', 'applied']) last.delete(`${node} ${which}`);
    },
  };
}
