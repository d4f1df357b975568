import { RecordType } from './message/codes.ts';
import type { Question } from './message/message.ts';
import { type NameKey, parentOf, ROOT } from './message/name.ts';
import { type Found, lookup } from './zone/lookup.ts';
import type { CompiledZone, Entry } from './zone/zone.ts';
import { zoneOf } from './zone/zone.ts';

/** Longer chains of aliases are answered as far as this. */
export const ALIASES_MAX = 8;

/** Where the chain of aliases that begins at a question's name leads. */
export interface Chase {
  /** Each CNAME on the way. */
  readonly aliases: readonly Entry[];
  /** The last name. */
  readonly name: NameKey;
  /** What is there; undefined: the chain leaves our zones, bites its tail, or is too long. */
  readonly end: ChaseEnd | undefined;
}

export interface ChaseEnd {
  readonly zone: CompiledZone;
  readonly found: End;
}

export type End = Exclude<Found, { kind: 'alias' }>;

type Zones = ReadonlyMap<NameKey, CompiledZone>;

/**
 * RFC 1034 §4.3.2 step 3a: an alias starts the search again from step 1, so a chain may lead
 * through every zone served here. Undefined: the question's name is in none of them.
 */
export function chase(zones: Zones, question: Question): Chase | undefined {
  const aliases: Entry[] = [];
  let { name } = question;
  for (;;) {
    const above = lookupAbove(zones, name, question.type);
    if (above !== undefined) return { aliases, name, end: above };
    const zone = zoneOf(zones, name);
    if (zone === undefined) return aliases.length === 0 ? undefined : { aliases, name, end: zone };
    const found = lookup(zone, name, question.type);
    if (found.kind !== 'alias') return { aliases, name, end: { zone, found } };
    aliases.push(found.entry);
    name = found.target;
    const isCircle = aliases.some(({ owner }) => owner === name);
    if (isCircle || aliases.length === ALIASES_MAX) return { aliases, name, end: undefined };
  }
}

/**
 * DS is data of the parent: at the origin of a zone of ours the zone above answers, if that is
 * ours, too (RFC 4035 §3.1.4.1). Undefined: it is not asked for there.
 */
function lookupAbove(zones: Zones, name: NameKey, type: number): ChaseEnd | undefined {
  const child = type === RecordType.DS && name !== ROOT ? zones.get(name) : undefined;
  const zone = child && zoneOf(zones, parentOf(name));
  if (child === undefined || zone === undefined) return undefined;
  const found = lookup(zone, name, type);
  const isDelegated = zone.nodes.get(name)?.rrsets.has(RecordType.NS) === true;
  const isParental = isDelegated || found.kind === 'referral';
  if (isParental && found.kind !== 'alias') return { zone, found };
  // A parent that does not know of its child must not deny that it exists (RFC 8020 §2).
  const nameservers = child.nodes.get(name)?.rrsets.get(RecordType.NS);
  const rrsets = new Map(nameservers === undefined ? [] : [[RecordType.NS, nameservers] as const]);
  const node = { rrsets, geo: undefined, borrowed: undefined, cut: name };
  const match = { owner: name, zone, node, wildcard: undefined };
  return { zone, found: { kind: 'nodata', match } };
}
