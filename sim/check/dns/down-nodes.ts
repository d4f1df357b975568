import { DOWN_DETECTION_MS_MAX, downDetectionMsMax } from '../../../agent/dns/health/health.ts';
import type { Health } from '../../../agent/plane/plane.ts';
import { TYPE_A } from '../../load/dns-client.ts';
import type { Check, CheckPorts, DnsExchange } from '../check.ts';
import { replyOf } from './exchange.ts';
import type { Outages } from './outages.ts';
import { ZoneHistory } from './served-zones.ts';

export interface DownNodesPorts extends CheckPorts {
  readonly machines: readonly { readonly name: string; readonly ipv4: string }[];
  readonly outages: Outages;
  /** What a nameserver thinks of the edges by now. */
  readonly healthAt: (nameserver: string) => Health;
}

/** By this much a clock may go too slowly: 1 %, and some. */
const DRIFT = 1.02;
/** INV-20's D, in true time, of clusters that are not large. */
export const DOWN_MS_MAX = DOWN_DETECTION_MS_MAX * DRIFT;

/**
 * INV-20: no answer names a node that has really been out of the nameserver's reach for longer than
 * D, while another candidate has been in reach for as long, and the nameserver knows that. Lost
 * probes may make a node look down that is not; that removes it, which is allowed. The time counts
 * from when the nameserver could first have looked: it began to serve, went on after a pause, or
 * heard of the node.
 */
export function downNodesCheck(ports: DownNodesPorts): Check {
  const { violated, machines, outages, healthAt, nowMs } = ports;
  const history = new ZoneHistory();
  /** By nameserver and node: since when the directory has that Node, by uid. */
  const known = new Map<string, { readonly uid: string; readonly sinceMs: number }>();
  const limitMs =
    downDetectionMsMax({ edges: machines.length, nameservers: machines.length }) * DRIFT;
  const longSince = (nameserver: string, node: string): 'up' | 'down' | undefined => {
    const { state, sinceMs } = outages.contact(nameserver, node);
    const knownMs = known.get(`${nameserver} ${node}`)?.sinceMs ?? Infinity;
    return nowMs() - Math.max(sinceMs, knownMs) > limitMs ? state : undefined;
  };
  return {
    committed: (commit) => history.committed(commit),
    touched: (node) => outages.touched(node),
    stepped: () => outages.stepped(),
    installed: (node) => history.installed(node),
    applied(applied) {
      history.applied(applied);
      const { node: nameserver, snapshot } = applied;
      const edges = new Map(
        snapshot.dns.nodes
          .filter(({ roles }) => roles.includes('edge'))
          .map((edge) => [edge.name, edge.uid]),
      );
      for (const { name } of machines) {
        const key = `${nameserver} ${name}`;
        const uid = edges.get(name);
        if (uid === undefined) known.delete(key);
        else if (known.get(key)?.uid !== uid) known.set(key, { uid, sinceMs: nowMs() });
      }
    },
    asked(exchange: DnsExchange) {
      const { nameserver, name, type, reply } = exchange;
      if (type !== TYPE_A || reply === undefined) return;
      const served = history.servedBy(nameserver);
      const zone = history.zoneOf(nameserver, name);
      const candidates = zone?.geoNames.find((each) => each.name === name)?.candidates ?? [];
      const named = new Set(replyOf(exchange)?.addresses);
      const down = machines.find(
        (each) => named.has(each.ipv4) && longSince(nameserver, each.name) === 'down',
      );
      if (down === undefined) return;
      const health = healthAt(nameserver);
      const well = served?.nodes.find(
        (node) =>
          candidates.includes(node.name) &&
          node.ready &&
          health[node.name] !== false &&
          longSince(nameserver, node.name) === 'up',
      );
      if (well === undefined) return;
      const { sinceMs } = outages.contact(nameserver, down.name);
      const what = `${nameserver} names ${down.name} for ${name}`;
      violated(20, `${what}, out of its reach since ${sinceMs} ms, though ${well.name} is well`);
    },
  };
}
