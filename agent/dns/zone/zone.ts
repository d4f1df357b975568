import type { GeoName } from '../../../proto/gen/b8s/v1/plan.ts';
import type { ZoneSigning } from '../dnssec/keys.ts';
import { RecordType } from '../message/codes.ts';
import { type NameKey, parentOf, ROOT } from '../message/name.ts';
import type { Rrset } from './rrset.ts';

/** A name that exists in a zone: with data, or only because names below it have some (RFC 4592 §2.2.2). */
export interface ZoneNode {
  readonly rrsets: ReadonlyMap<number, Rrset>;
  /** Its A and AAAA depend on who asks. */
  readonly geo: GeoName | undefined;
  /** Its A and AAAA are those of another name (the declared type ALIAS). */
  readonly borrowed: Borrowed | undefined;
  /** The topmost delegation at or above it: what lies there is another's, only glue is known. */
  readonly cut: NameKey | undefined;
}

/** An ALIAS record: it never leaves this server, only the addresses do. */
export interface Borrowed {
  readonly target: NameKey;
  /** Answers hold no longer than this. */
  readonly ttlS: number;
}

/** One version of a zone, compiled. Threads are sent the plan, and compile it for themselves. */
export interface CompiledZone {
  readonly uid: string;
  readonly name: string;
  readonly origin: NameKey;
  readonly serial: number;
  readonly nodes: ReadonlyMap<NameKey, ZoneNode>;
  readonly soa: Rrset;
  /** The SOA as it goes with "no such thing": its TTL is how long that holds (RFC 2308 §3). */
  readonly negativeSoa: Rrset;
  /** What its names borrow, in no order. */
  readonly loans: readonly Borrowed[];
  /** Undefined: it is not signed. */
  readonly signing: ZoneSigning | undefined;
  /** What is said of it: the same object for as long as it is served. */
  readonly outcome: ZoneOutcome;
}

/** What is said of a zone to dom. */
export interface ZoneOutcome {
  readonly uid: string;
  readonly name: string;
  /** The serial that is served now; undefined: none of this zone. */
  readonly serial: number | undefined;
  /** Of the keys that it is served with, sorted; left out: it is not signed. */
  readonly keyTags?: readonly number[];
  /** Undefined: what was asked for is served. */
  readonly error: string | undefined;
}

/** An rrset in an answer. */
export interface Entry {
  /** May differ from where the rrset was found, because of wildcards. */
  readonly owner: NameKey;
  readonly rrset: Rrset;
  /** Whose data it is. A chain of aliases may lead through several zones of ours. */
  readonly zone: CompiledZone;
  /** The wildcard that it was made from (RFC 4592 §3.3.1); undefined: it stands at its owner. */
  readonly wildcard: NameKey | undefined;
}

/** The types that exist at a name, in order; those of addresses made per answer among them. */
export function typesAt({ rrsets, geo, borrowed }: ZoneNode): readonly number[] {
  const made = geo === undefined && borrowed === undefined ? [] : [RecordType.A, RecordType.AAAA];
  return [...new Set([...rrsets.keys(), ...made])].toSorted((a, b) => a - b);
}

/** The zone that a name lies in: the one with the longest origin. */
export function zoneOf(
  zones: ReadonlyMap<NameKey, CompiledZone>,
  name: NameKey,
): CompiledZone | undefined {
  for (let origin = name; origin !== ROOT; origin = parentOf(origin)) {
    const zone = zones.get(origin);
    if (zone !== undefined) return zone;
  }
  return zones.get(ROOT);
}
