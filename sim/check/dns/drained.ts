import { TYPE_A } from '../../load/dns-client.ts';
import type { Check, CheckPorts } from '../check.ts';
import { replyOf } from './exchange.ts';
import { ZoneHistory } from './served-zones.ts';

export interface DrainedPorts extends Pick<CheckPorts, 'violated' | 'reached'> {
  /** By name; one that was removed has no say any more. */
  readonly isNode: (name: string) => boolean;
}

/**
 * INV-47: once b8sctl has said of a node that it can be stopped, no nameserver answers with it as
 * with any other: each knows that it is out of service, and names it only where it sees no other.
 */
export function drainedCheck({ violated, reached, isNode }: DrainedPorts): Check {
  const history = new ZoneHistory();
  const drained = new Set<string>();
  return {
    committed: (commit) => history.committed(commit),
    applied: (applied) => void history.applied(applied),
    installed: (node) => history.installed(node),
    drained(node, what) {
      if (what === 'taken back') return void drained.delete(node);
      drained.add(node);
      reached('node drained');
    },
    asked(exchange) {
      const { nameserver, name, type } = exchange;
      if (drained.size === 0 || type !== TYPE_A || !isNode(nameserver)) return;
      const addresses = replyOf(exchange)?.addresses ?? [];
      for (const { name: node, unschedulable, ipv4 } of history.servedBy(nameserver)?.nodes ?? []) {
        if (!drained.has(node) || unschedulable || !addresses.includes(ipv4[0] ?? '')) continue;
        violated(47, `${nameserver} names ${node} for ${name}, which is drained`);
      }
    },
  };
}
