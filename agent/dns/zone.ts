import type { GeoName, RecordSet, ZonePlan } from '../../proto/gen/b8s/v1/plan.ts';
import { RecordType, recordTypeOf } from './codes.ts';
import { compileSigning, type ZoneSigning } from './dnssec/keys.ts';
import { isWildcard, isWithin, type NameKey, nameText, parentOf, parseName } from './name.ts';
import { OnlyRrset, PlannedRrset } from './planned-rrset.ts';
import { parseRecord } from './record-data.ts';
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
}

export const SOA_TTL_S = 3600;
/** RFC 2181 §8: the highest bit of a TTL is never set. */
const TTL_S_MAX = 0x7fff_ffff;
/** A declared type without a number, for it is never sent. */
const ALIAS = 'ALIAS';
/** Characters of a malformed value that an error repeats. */
const VALUE_SHOWN_MAX = 80;

interface Draft {
  readonly rrsets: Map<number, Rrset>;
  geo: GeoName | undefined;
  borrowed: Borrowed | undefined;
}

/** Throws a RangeError that names the zone and what is wrong in it; nothing is served by halves. */
export function compileZone(plan: ZonePlan): CompiledZone {
  try {
    const origin = nameOf(plan.origin);
    const drafts = new Map<NameKey, Draft>();
    const soa = soaOf(plan, SOA_TTL_S);
    draftAt(drafts, origin, origin).rrsets.set(RecordType.SOA, soa);
    for (const recordSet of plan.records) addRecordSet(drafts, origin, recordSet);
    for (const geo of plan.geoNames) addGeoName(drafts, origin, geo);
    const signing = compileSigning(plan, origin);
    for (const rrset of signing?.rrsets ?? []) {
      draftAt(drafts, origin, origin).rrsets.set(rrset.type, rrset);
    }
    return {
      uid: plan.uid,
      name: plan.name,
      origin,
      serial: plan.serial,
      nodes: finish(drafts, origin),
      soa,
      loans: loansOf(drafts),
      negativeSoa: soaOf(plan, Math.min(SOA_TTL_S, plan.negativeTtlS)),
      signing,
    };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new RangeError(`zone ${plan.origin} serial ${plan.serial}: ${why}`, { cause });
  }
}

function addRecordSet(drafts: Map<NameKey, Draft>, origin: NameKey, set: RecordSet): void {
  const what = `${set.name} ${set.type}`;
  if (set.type === ALIAS) return addBorrowed(drafts, origin, set);
  const type = recordTypeOf(set.type);
  if (type === undefined) throw new RangeError(`${what}: unknown type`);
  const { rrsets } = draftAt(drafts, origin, nameOf(set.name));
  if (rrsets.has(type)) throw new RangeError(`${what}: more than one rrset`);
  if (set.values.length === 0) throw new RangeError(`${what}: no values`);
  const targets = new Set<NameKey>();
  for (const value of set.values) {
    try {
      const { target } = parseRecord(type, value);
      if (target !== undefined && isWithin(target, origin)) targets.add(target);
    } catch (cause) {
      const shown = value.slice(0, VALUE_SHOWN_MAX);
      throw new RangeError(`${what} ${shown}: ${(cause as Error).message}`, { cause });
    }
  }
  const ttlS = Math.min(set.ttlS, TTL_S_MAX);
  const planned = { type, ttlS, values: set.values, targets: [...targets] };
  rrsets.set(type, new PlannedRrset(planned));
}

function addBorrowed(drafts: Map<NameKey, Draft>, origin: NameKey, set: RecordSet): void {
  const draft = draftAt(drafts, origin, nameOf(set.name));
  const [value = '', ...more] = set.values;
  if (draft.borrowed !== undefined || more.length > 0) {
    throw new RangeError(`${set.name}: more than one ALIAS`);
  }
  draft.borrowed = { target: nameOf(value), ttlS: Math.min(set.ttlS, TTL_S_MAX) };
}

function addGeoName(drafts: Map<NameKey, Draft>, origin: NameKey, geo: GeoName): void {
  const draft = draftAt(drafts, origin, nameOf(geo.name));
  if (draft.geo !== undefined) throw new RangeError(`${geo.name}: more than one geo name`);
  draft.geo = { ...geo, ttlS: Math.min(geo.ttlS, TTL_S_MAX) };
}

/** The draft at a name, which makes every name between it and the origin exist, too. */
function draftAt(drafts: Map<NameKey, Draft>, origin: NameKey, key: NameKey): Draft {
  if (!isWithin(key, origin)) throw new RangeError(`${nameText(key)} is outside the zone`);
  for (let name = key; ; name = parentOf(name)) {
    if (!drafts.has(name)) drafts.set(name, emptyDraft());
    if (name === origin) break;
  }
  return drafts.get(key) ?? emptyDraft();
}

function loansOf(drafts: ReadonlyMap<NameKey, Draft>): readonly Borrowed[] {
  const loans: Borrowed[] = [];
  for (const { borrowed } of drafts.values()) if (borrowed !== undefined) loans.push(borrowed);
  return loans;
}

function emptyDraft(): Draft {
  return { rrsets: new Map(), geo: undefined, borrowed: undefined };
}

function finish(drafts: ReadonlyMap<NameKey, Draft>, origin: NameKey): Map<NameKey, ZoneNode> {
  const nodes = new Map<NameKey, ZoneNode>();
  for (const [key, draft] of drafts) {
    assertConsistent(key, draft);
    const { geo, borrowed } = draft;
    const cut = cutAbove(drafts, origin, key);
    nodes.set(key, { rrsets: fewest(draft.rrsets), geo, borrowed, cut });
  }
  return nodes;
}

/** Most names have one rrset. */
function fewest(rrsets: ReadonlyMap<number, Rrset>): ReadonlyMap<number, Rrset> {
  const [only, ...others] = rrsets.values();
  return only === undefined || others.length > 0 ? rrsets : new OnlyRrset(only);
}

function assertConsistent(key: NameKey, { rrsets, geo, borrowed }: Draft): void {
  const alias = rrsets.get(RecordType.CNAME);
  if (alias !== undefined && (rrsets.size > 1 || geo !== undefined || borrowed !== undefined)) {
    throw new RangeError(`${nameText(key)}: CNAME beside other data (RFC 1034 §3.6.2)`);
  }
  if (alias !== undefined && alias.records.length > 1) {
    throw new RangeError(`${nameText(key)}: more than one CNAME (RFC 2181 §10.1)`);
  }
  const hasAddresses = rrsets.has(RecordType.A) || rrsets.has(RecordType.AAAA) || geo !== undefined;
  if (borrowed !== undefined && hasAddresses) {
    throw new RangeError(`${nameText(key)}: ALIAS beside addresses of its own`);
  }
  if (isWildcard(key) && rrsets.has(RecordType.NS)) {
    throw new RangeError(`${nameText(key)}: a wildcard cannot be delegated (RFC 4592 §4.2)`);
  }
}

function cutAbove(
  drafts: ReadonlyMap<NameKey, Draft>,
  origin: NameKey,
  key: NameKey,
): NameKey | undefined {
  let cut: NameKey | undefined;
  for (let name = key; name !== origin; name = parentOf(name)) {
    if (drafts.get(name)?.rrsets.has(RecordType.NS) === true) cut = name;
  }
  return cut;
}

/** The types that exist at a name, in order; those of addresses made per answer among them. */
export function typesAt({ rrsets, geo, borrowed }: ZoneNode): readonly number[] {
  const made = geo === undefined && borrowed === undefined ? [] : [RecordType.A, RecordType.AAAA];
  return [...new Set([...rrsets.keys(), ...made])].toSorted((a, b) => a - b);
}

function soaOf(plan: ZonePlan, ttlS: number): Rrset {
  const numbers = [plan.serial, plan.refreshS, plan.retryS, plan.expireS, plan.negativeTtlS];
  const fixed = Buffer.alloc(4 * numbers.length);
  for (const [index, number] of numbers.entries()) fixed.writeUInt32BE(number, 4 * index);
  const parts = [nameOf(plan.primaryNameserver), nameOf(plan.mailbox), fixed];
  const text = `${plan.primaryNameserver}. ${plan.mailbox}. ${numbers.join(' ')}`;
  return { type: RecordType.SOA, ttlS, records: [{ parts, text }], targets: [] };
}

function nameOf(text: string): NameKey {
  const key = parseName(text);
  if (key === undefined) throw new RangeError(`"${text}" is not a name`);
  return key;
}
