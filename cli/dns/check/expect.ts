import type { Node } from '../../../api/node.ts';
import { absoluteName } from '../../../api/records.ts';
import type { Zone } from '../../../api/zone.ts';
import type { ExpectedNameserver, ExpectedZone } from './facts.ts';

/** What dom's objects say that the world should see. */
export function expectedZone(
  zone: Zone,
  { nodes, zones }: { readonly nodes: readonly Node[]; readonly zones: readonly Zone[] },
): ExpectedZone {
  const origin = zone.spec.origin.toLowerCase();
  const names = zone.spec.nameservers ?? zone.status?.nameservers ?? [];
  const nameservers = [...new Set(names.map((name) => name.toLowerCase()))].toSorted();
  const { phase, keys = [] } = zone.status?.dnssec ?? {};
  const ds = (zone.status?.ds ?? [])
    .map(({ keyTag, algorithm, digestType, digest }) =>
      `${keyTag} ${algorithm} ${digestType} ${digest}`.toLowerCase(),
    )
    .toSorted();
  return {
    origin,
    serial: zone.status?.serial,
    nameservers: nameservers.map((name) => expectedNameserver(name, zone, nodes)),
    ds,
    phase,
    keyTags: keys.map(({ keyTag }) => keyTag).toSorted(ascending),
    // RFC 8078 §4: that there be none.
    cds: phase === 'withdrawing' ? ['0 0 0 00'] : ds,
    parentDs: zone.spec.dnssec?.parentDs?.toSorted(ascending),
    zones: new Map(zones.map(({ spec, metadata }) => [spec.origin.toLowerCase(), metadata.name])),
  };
}

function ascending(one: number, other: number): number {
  return one - other;
}

function expectedNameserver(name: string, zone: Zone, nodes: readonly Node[]): ExpectedNameserver {
  const origin = zone.spec.origin.toLowerCase();
  const node = nodes.find(({ metadata }) => `${metadata.name}.ns.${origin}` === name);
  const declared = zone.spec.records
    .filter(({ type }) => type === 'A' || type === 'AAAA')
    .filter((record) => absoluteName(record.name, origin) === name)
    .flatMap(({ values }) => values);
  const own = node === undefined ? [] : [...node.spec.ipv4, ...node.spec.ipv6];
  // What a person declares goes before what b8s adds.
  const addresses = declared.length > 0 ? declared : own;
  return {
    name,
    addresses: addresses.map(canonicalAddress).toSorted(),
    glue: name.endsWith(`.${origin}`) ? 'needed' : 'not needed',
  };
}

/** As RFC 5952 asks, so that the same address is the same text. */
function canonicalAddress(address: string): string {
  return address.includes(':') ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;
}
