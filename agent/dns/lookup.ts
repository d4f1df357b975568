import type { GeoName } from '../../proto/gen/b8s/v1/plan.ts';
import { RecordType } from './codes.ts';
import { type NameKey, parentOf, wildcardUnder } from './name.ts';
import type { Entry, Rrset } from './rrset.ts';
import type { CompiledZone, ZoneNode } from './zone.ts';

/** What one step of RFC 1034 §4.3.2 finds. */
export type Found =
  | { readonly kind: 'records'; readonly entry: Entry }
  | { readonly kind: 'geo'; readonly owner: NameKey; readonly geoName: GeoName }
  | { readonly kind: 'alias'; readonly entry: Entry; readonly target: NameKey }
  /** The NS rrset of the delegation that the name lies at or below. */
  | { readonly kind: 'referral'; readonly entry: Entry }
  | { readonly kind: 'nodata' }
  | { readonly kind: 'nxdomain' };

/** RFC 8482 §4.2: what ANY is answered with, instead of all there is. */
const ANY_ANSWER: Rrset = {
  type: RecordType.HINFO,
  ttlS: 3600,
  records: [{ parts: [Buffer.from('\x07RFC8482\x00')], text: '"RFC8482" ""' }],
  targets: [],
};

/** Looks a name up that lies within the zone's origin. */
export function lookup(zone: CompiledZone, name: NameKey, type: number): Found {
  const { encloser, node } = closestEncloser(zone, name);
  const delegation = node.cut === undefined ? undefined : zone.nodes.get(node.cut);
  const nameservers = delegation?.rrsets.get(RecordType.NS);
  if (node.cut !== undefined && nameservers !== undefined) {
    return { kind: 'referral', entry: { owner: node.cut, rrset: nameservers } };
  }
  if (encloser === name) return lookupAt(node, name, type);
  // Only the wildcard right below the closest encloser counts (RFC 4592 §3.3.1).
  const wildcard = zone.nodes.get(wildcardUnder(encloser));
  return wildcard === undefined ? { kind: 'nxdomain' } : lookupAt(wildcard, name, type);
}

/** The longest existing ancestor of a name, itself included; the origin always exists. */
function closestEncloser(
  zone: CompiledZone,
  name: NameKey,
): { readonly encloser: NameKey; readonly node: ZoneNode } {
  for (let encloser = name; ; encloser = parentOf(encloser)) {
    const node = zone.nodes.get(encloser);
    if (node !== undefined) return { encloser, node };
  }
}

function lookupAt(node: ZoneNode, owner: NameKey, type: number): Found {
  const alias = node.rrsets.get(RecordType.CNAME);
  if (alias !== undefined && type !== RecordType.CNAME) {
    const entry = { owner, rrset: alias };
    const target = alias.records[0]?.parts[0];
    const followed = typeof target === 'string' && type !== RecordType.ANY;
    return followed ? { kind: 'alias', entry, target } : { kind: 'records', entry };
  }
  if (node.geo !== undefined && (type === RecordType.A || type === RecordType.AAAA)) {
    return { kind: 'geo', owner, geoName: node.geo };
  }
  const isEmpty = node.rrsets.size === 0 && node.geo === undefined;
  const rrset = type === RecordType.ANY && !isEmpty ? ANY_ANSWER : node.rrsets.get(type);
  return rrset === undefined ? { kind: 'nodata' } : { kind: 'records', entry: { owner, rrset } };
}
