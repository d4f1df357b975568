import type { Check, CheckPorts } from '../check.ts';

/** One lost packet is no outage. */
const SILENT_MIN = 2;

/**
 * INV-2, for answers: a nameserver takes no edge out of them for a single probe without an answer;
 * otherwise each lost packet would send everybody elsewhere and back again.
 */
export function hysteresisCheck({ violated }: CheckPorts): Check {
  /** By nameserver, then by node: probes in a row without an answer. */
  const silent = new Map<string, Map<string, number>>();
  const before = new Map<string, ReadonlySet<string>>();
  return {
    probed({ nameserver, node, outcome }) {
      const counts = silent.get(nameserver) ?? new Map<string, number>();
      silent.set(nameserver, counts);
      counts.set(node, outcome === 'answered' ? 0 : (counts.get(node) ?? 0) + 1);
    },
    judged(nameserver, health) {
      const down = new Set(Object.keys(health).filter((node) => health[node] === false));
      for (const node of down) {
        const count = silent.get(nameserver)?.get(node) ?? 0;
        if (before.get(nameserver)?.has(node) !== true && count < SILENT_MIN)
          violated(2, `${nameserver} takes ${node} for dead after ${count} lost probes`);
      }
      before.set(nameserver, down);
    },
  };
}
