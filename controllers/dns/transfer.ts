import type { Zone } from '../../api/zone.ts';
import type { ConditionInput } from '../../runtime/control/conditions.ts';
import { hasRole, type NodeView } from '../../runtime/session/node-view.ts';
import type {
  GeoNameRecord,
  RecordSetRecord,
  ZoneTransferRecord,
} from '../../runtime/store/records.ts';

/** How a zone is handed to its secondaries; undefined: it has none. */
export function zoneTransfer(
  { spec: { secondaries = [] } }: Zone,
  geoNames: readonly GeoNameRecord[],
  nodes: readonly NodeView[],
): ZoneTransferRecord | undefined {
  if (secondaries.length === 0) return undefined;
  const edges = new Map(nodes.filter((node) => hasRole(node, 'edge')).map((n) => [n.name, n]));
  return { secondaries, addresses: geoNames.flatMap((name) => addressSets(name, edges)) };
}

/** Whether those who should may take the zone; undefined: there are none. */
export function transferCondition(
  { spec: { secondaries = [] } }: Zone,
  given: { readonly keys: ReadonlySet<string>; readonly isSigned: boolean },
): ConditionInput | undefined {
  if (secondaries.length === 0) return undefined;
  const type = 'SecondariesAllowed';
  if (given.isSigned) {
    const message = 'the zone is still signed: it can be handed out once spec.dnssec has ended';
    return { type, status: 'False', reason: 'ZoneSigned', message };
  }
  const missing = secondaries.flatMap(({ key }) => key ?? []).filter((key) => !given.keys.has(key));
  const [first] = missing;
  if (first !== undefined) {
    const message = `there is no transfer key ${first}, so whoever needs it is refused: b8sctl transfer-key create ${first}`;
    return { type, status: 'False', reason: 'KeyMissing', message };
  }
  const count = secondaries.length;
  const message = `${count} ${count === 1 ? 'secondary' : 'secondaries'} may take the zone`;
  return { type, status: 'True', reason: 'Allowed', message };
}

/**
 * The addresses of a geo name for those who cannot choose: of every candidate that is up, and with
 * `failover` of those that every client would be given. If none is up, of all: an empty answer
 * takes the site down for everyone (INV-21).
 */
function addressSets(
  { name, ttlS, candidates, policy, answersMax }: GeoNameRecord,
  edges: ReadonlyMap<string, NodeView>,
): readonly RecordSetRecord[] {
  const known = candidates.flatMap((candidate) => edges.get(candidate) ?? []);
  const families = [
    { type: 'A', of: (node: NodeView) => node.node.spec.ipv4 },
    { type: 'AAAA', of: (node: NodeView) => node.node.spec.ipv6 },
  ];
  return families.flatMap(({ type, of }) => {
    const possible = known.filter((node) => of(node).length > 0);
    const up = bestOf(possible);
    const chosen = policy === 'failover' ? up.slice(0, Math.max(1, answersMax)) : up;
    const values = [...new Set(chosen.flatMap(of))];
    return values.length === 0 ? [] : [{ name, type, ttlS, values }];
  });
}

/** As nameservers choose: those that are up, else cordoned ones, else all. */
function bestOf(nodes: readonly NodeView[]): readonly NodeView[] {
  const connected = nodes.filter((node) => node.connected);
  const up = connected.filter(({ node }) => !node.spec.unschedulable);
  return [up, connected, nodes].find((pool) => pool.length > 0) ?? [];
}
