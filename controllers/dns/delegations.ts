import { absoluteName, canonicalValue, isWithin } from '../../api/records.ts';
import type { Zone } from '../../api/zone.ts';
import { type ZonesByOrigin, zoneOfHost } from '../../runtime/dns/zones.ts';
import { hasRole, type NodeView } from '../../runtime/session/node-view.ts';
import type { RecordSetRecord } from '../../runtime/store/records.ts';

/** A Zone of ours right below another one. */
export interface Delegation {
  readonly origin: string;
  /** The NS set, then the addresses of those of its name servers that lie in it. */
  readonly sets: readonly RecordSetRecord[];
}

/** Of one zone. Each takes some 600 bytes of what a zone may take in all. */
export const DELEGATIONS_MAX = 500;

/**
 * What a zone says of the Zones of ours right below it, sorted by origin. Without, it would deny
 * the names between itself and them, and everything below goes with such a name (RFC 8020 §2).
 * Not the DS: whether a parent should hold one is for a person to say.
 */
export function delegations(
  { spec: { origin, ttl } }: Zone,
  zones: ZonesByOrigin,
  nodes: readonly NodeView[],
): readonly Delegation[] {
  const suffix = `.${origin}`;
  const below = [...zones.values()].filter(
    (child) =>
      child.spec.origin.endsWith(suffix) &&
      zoneOfHost(zones, parentOf(child.spec.origin))?.spec.origin === origin,
  );
  return below
    .map((child) => delegationOf(child, nodes, ttl))
    .filter(({ sets }) => sets.length > 0)
    .toSorted((a, b) => (a.origin < b.origin ? -1 : 1));
}

function delegationOf(child: Zone, nodes: readonly NodeView[], ttlS: number): Delegation {
  const { origin } = child.spec;
  const own = glueSets(child, nodes);
  const names = child.spec.nameservers ?? [...new Set(own.map(({ name }) => name))];
  if (names.length === 0) return { origin, sets: [] };
  const declared = declaredAddresses(child);
  const glue = names
    .filter((name) => isWithin(name, origin))
    .flatMap((name) =>
      ['A', 'AAAA'].flatMap((type) => {
        const isIt = (set: RecordSetRecord): boolean => set.name === name && set.type === type;
        return declared.find(isIt) ?? own.find(isIt) ?? [];
      }),
    );
  const values = names.map((name) => `${name}.`);
  return {
    origin,
    sets: [{ name: origin, type: 'NS', values }, ...glue].map((set) => ({ ...set, ttlS })),
  };
}

/** `<node>.ns.<origin>` of each node with the role and an address, sorted by node. */
export function glueSets(zone: Zone, nodes: readonly NodeView[]): readonly RecordSetRecord[] {
  const { origin, ttl } = zone.spec;
  return nodes
    .filter((node) => hasRole(node, 'nameserver'))
    .flatMap(({ name, node: { spec } }) => [
      { name: `${name}.ns.${origin}`, type: 'A', ttlS: ttl, values: spec.ipv4 },
      { name: `${name}.ns.${origin}`, type: 'AAAA', ttlS: ttl, values: spec.ipv6 },
    ])
    .filter(({ values }) => values.length > 0);
}

function declaredAddresses({ spec: { origin, ttl, records } }: Zone): readonly RecordSetRecord[] {
  return records
    .filter(({ type }) => type === 'A' || type === 'AAAA')
    .map(({ name, type, values }) => ({
      ...{ name: absoluteName(name, origin), type, ttlS: ttl },
      values: values.flatMap((value) => {
        const outcome = canonicalValue(type, value, origin);
        return outcome.kind === 'value' ? outcome.value : [];
      }),
    }))
    .filter(({ values }) => values.length > 0);
}

function parentOf(name: string): string {
  return name.slice(name.indexOf('.') + 1);
}
