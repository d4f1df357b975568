import type { Check, CheckPorts } from './check.ts';

/** One lost packet is no outage. */
const SILENT_MIN = 2;

/**
 * INV-2, for answers: a nameserver takes no edge out of them for a single probe without an answer;
 * otherwise each lost packet would send everybody elsewhere and back again.
 */
export function hysteresisCheck({ violated }: CheckPorts): Check {
  /** By nameserver and node: probes in a row without an answer. */
  const silent = new Map<string, number>();
  const before = new Map<string, ReadonlySet<string>>();
  return {
    probed({ nameserver, node, outcome }) {
      const key = `${nameserver} ${node}`;
      silent.set(key, outcome === 'answered' ? 0 : (silent.get(key) ?? 0) + 1);
    },
    judged(nameserver, health) {
      const down = new Set(Object.keys(health).filter((node) => health[node] === false));
      for (const node of down) {
        const count = silent.get(`${nameserver} ${node}`) ?? 0;
        if (before.get(nameserver)?.has(node) !== true && count < SILENT_MIN)
          violated(2, `${nameserver} takes ${node} for dead after ${count} lost probes`);
      }
      before.set(nameserver, down);
    },
  };
}
