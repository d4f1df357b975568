import type { Node } from '../../api/node.ts';
import { absoluteName } from '../../api/records.ts';
import type { Zone } from '../../api/zone.ts';
import type { ExpectedNameserver, ExpectedZone } from './facts.ts';

/** What dom's objects say that the world should see. */
export function expectedZone(zone: Zone, nodes: readonly Node[]): ExpectedZone {
  const origin = zone.spec.origin.toLowerCase();
  const names = zone.spec.nameservers ?? zone.status?.nameservers ?? [];
  const nameservers = [...new Set(names.map((name) => name.toLowerCase()))].toSorted();
  return {
    origin,
    serial: zone.status?.serial,
    nameservers: nameservers.map((name) => expectedNameserver(name, zone, nodes)),
    ds: (zone.status?.ds ?? [])
      .map(({ keyTag, algorithm, digestType, digest }) =>
        `${keyTag} ${algorithm} ${digestType} ${digest}`.toLowerCase(),
      )
      .toSorted(),
    signing: zone.status?.dnssec?.phase === 'signing' ? 'begun' : 'other',
  };
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
