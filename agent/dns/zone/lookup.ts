import type { GeoName } from '../../../proto/gen/b8s/v1/plan.ts';
import { RecordType } from '../message/codes.ts';
import { type NameKey, parentOf, wildcardUnder } from '../message/name.ts';
import type { Rrset } from './rrset.ts';
import type { Borrowed, CompiledZone, Entry, ZoneNode } from './zone.ts';

/** What one step of RFC 1034 §4.3.2 finds. */
export type Found =
  | { readonly kind: 'records'; readonly entry: Entry }
  | { readonly kind: 'geo'; readonly geoName: GeoName; readonly match: Match }
  /** An ALIAS: its addresses are those of another name. */
  | { readonly kind: 'borrowed'; readonly borrowed: Borrowed; readonly match: Match }
  | { readonly kind: 'alias'; readonly entry: Entry; readonly target: NameKey }
  /** The NS rrset of the delegation that the name lies at or below. */
  | { readonly kind: 'referral'; readonly entry: Entry; readonly node: ZoneNode }
  | { readonly kind: 'nodata'; readonly match: Match }
  | { readonly kind: 'nxdomain'; readonly zone: CompiledZone };

/** The node that stands for a name, and how it came to. */
export interface Match {
  readonly owner: NameKey;
  readonly zone: CompiledZone;
  readonly node: ZoneNode;
  /** The wildcard that the node is; undefined: it stands at the owner. */
  readonly wildcard: NameKey | undefined;
}

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
  const at: Match = { owner: name, zone, node, wildcard: undefined };
  const isHere = encloser === name;
  // DS stands on the parent's side of its delegation (RFC 4035 §3.1.4.1).
  const isParental = isHere && type === RecordType.DS && node.cut === name;
  const delegation = isParental ? undefined : referral(zone, node.cut);
  if (delegation !== undefined) return delegation;
  if (isHere) return lookupAt(at, type);
  // Only the wildcard right below the closest encloser counts (RFC 4592 §3.3.1).
  const wildcard = wildcardUnder(encloser);
  const source = zone.nodes.get(wildcard);
  return source === undefined
    ? { kind: 'nxdomain', zone }
    : lookupAt({ ...at, node: source, wildcard }, type);
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

function referral(zone: CompiledZone, cut: NameKey | undefined): Found | undefined {
  const node = cut === undefined ? undefined : zone.nodes.get(cut);
  const rrset = node?.rrsets.get(RecordType.NS);
  if (cut === undefined || node === undefined || rrset === undefined) return undefined;
  return { kind: 'referral', node, entry: { owner: cut, rrset, zone, wildcard: undefined } };
}

function lookupAt(match: Match, type: number): Found {
  const { owner, zone, node, wildcard } = match;
  const alias = node.rrsets.get(RecordType.CNAME);
  if (alias !== undefined && !isBesideAlias(type)) {
    const entry = { owner, rrset: alias, zone, wildcard };
    const target = alias.records[0]?.parts[0];
    const followed = typeof target === 'string' && type !== RecordType.ANY;
    return followed ? { kind: 'alias', entry, target } : { kind: 'records', entry };
  }
  if (type === RecordType.A || type === RecordType.AAAA) {
    if (node.geo !== undefined) return { kind: 'geo', geoName: node.geo, match };
    if (node.borrowed !== undefined) return { kind: 'borrowed', borrowed: node.borrowed, match };
  }
  const rrset = type === RecordType.ANY && hasData(node) ? ANY_ANSWER : node.rrsets.get(type);
  return rrset === undefined
    ? { kind: 'nodata', match }
    : { kind: 'records', entry: { owner, rrset, zone, wildcard } };
}

/** Types that are asked of the alias itself (RFC 1034 §3.6.2, RFC 4034 §4). */
function isBesideAlias(type: number): boolean {
  return type === RecordType.CNAME || type === RecordType.NSEC || type === RecordType.RRSIG;
}

function hasData({ rrsets, geo, borrowed }: ZoneNode): boolean {
  return rrsets.size > 0 || geo !== undefined || borrowed !== undefined;
}
