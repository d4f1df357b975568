import { RecordType } from './codes.ts';
import { type Found, lookup } from './lookup.ts';
import type { Question } from './message.ts';
import { type NameKey, parentOf, ROOT } from './name.ts';
import type { Entry } from './rrset.ts';
import { zoneOf } from './snapshot.ts';
import type { CompiledZone } from './zone.ts';

/** Longer chains of aliases are answered as far as this. */
export const ALIASES_MAX = 8;

/** Where the chain of aliases that begins at a question's name leads. */
export interface Chase {
  /** Each CNAME on the way. */
  readonly aliases: readonly Entry[];
  /** The last name. */
  readonly name: NameKey;
  /** What is there; undefined: the chain leaves our zones, bites its tail, or is too long. */
  readonly end: { readonly zone: CompiledZone; readonly found: End } | undefined;
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
    const zone = zoneOfQuestion(zones, { ...question, name });
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
 * The zone that answers: the one with the longest origin. DS is data of the parent, so at an origin
 * the zone above answers if it is ours, too (RFC 4035 §3.1.4.1).
 */
function zoneOfQuestion(zones: Zones, { name, type }: Question): CompiledZone | undefined {
  const zone = zoneOf(zones, name);
  if (type !== RecordType.DS || zone?.origin !== name || name === ROOT) return zone;
  return zoneOf(zones, parentOf(name)) ?? zone;
}
