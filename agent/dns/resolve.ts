import { borrowAddresses } from './borrow.ts';
import { type Chase, chase, type End } from './chase.ts';
import {
  type GeoResolution,
  geoRecords,
  resolveGeo,
  scopeBits,
  type Vantage,
} from './geo/geo-answer.ts';
import { Rcode, RecordType } from './message/codes.ts';
import type { Question } from './message/message.ts';
import { isWithin, type NameKey } from './message/name.ts';
import {
  bareReply,
  type Denial,
  ExtendedError,
  negativeReply,
  positiveReply,
  type Reply,
} from './message/reply.ts';
import type { DnsSnapshot } from './snapshot.ts';
import type { Match } from './zone/lookup.ts';
import type { RecordData } from './zone/rrset.ts';
import type { CompiledZone, Entry } from './zone/zone.ts';

export type { GeoResolution, Vantage } from './geo/geo-answer.ts';

/** A reply, and how it came about. */
export interface Resolution {
  readonly reply: Reply;
  /** Of the last name of a chain of aliases; undefined: that is in no zone of ours. */
  readonly zone: CompiledZone | undefined;
  /** Present if the answer depended on who asked. */
  readonly geo: GeoResolution | undefined;
}

/** Addresses of more targets than this are left for the resolver to ask for. */
const TARGETS_MAX = 16;

/** The reply to an accepted question: pure, from one snapshot. */
export function resolve(snapshot: DnsSnapshot, question: Question, vantage: Vantage): Resolution {
  const chased = chase(snapshot.zones, question);
  if (chased === undefined) {
    const reply = bareReply(Rcode.REFUSED, ExtendedError.NotAuthoritative);
    return { reply, zone: undefined, geo: undefined };
  }
  const { aliases, end } = chased;
  const zone = end?.zone;
  const found = end?.found;
  const { type } = question;
  switch (found?.kind) {
    case 'geo': {
      const geo = resolveGeo(snapshot, { ...found, type }, vantage);
      const made = { aliases, match: found.match, type, records: geoRecords(geo), ttlS: geo.ttlS };
      return { reply: { ...madeReply(made), scopeBits: scopeBits(geo, vantage) }, zone, geo };
    }
    case 'borrowed':
      return { ...borrowedReply(snapshot, { aliases, found, type }, vantage), zone };
    case 'records':
    case 'referral':
    case 'nodata':
    case 'nxdomain':
    case undefined:
      return { reply: staticReply(chased, found, type), zone, geo: undefined };
  }
}

/** Addresses that were made for this answer alone. */
interface Made {
  readonly aliases: readonly Entry[];
  readonly match: Match;
  readonly type: number;
  readonly records: readonly RecordData[];
  readonly ttlS: number;
}

function madeReply({ aliases, match, type, records, ttlS }: Made): Reply {
  if (records.length === 0) return negativeReply(aliases, nodata(match, type));
  const { owner, zone, wildcard } = match;
  const rrset = { type, ttlS, records, targets: [] };
  return positive([...aliases, { owner, rrset, zone, wildcard }]);
}

function borrowedReply(
  snapshot: DnsSnapshot,
  asked: {
    readonly aliases: readonly Entry[];
    readonly found: Extract<End, { kind: 'borrowed' }>;
    readonly type: number;
  },
  vantage: Vantage,
): { readonly reply: Reply; readonly geo: GeoResolution | undefined } {
  const { borrowed, match } = asked.found;
  const outcome = borrowAddresses(snapshot, { borrowed, type: asked.type }, vantage);
  if (outcome.kind !== 'addresses') {
    const why = outcome.kind === 'circle' ? ExtendedError.Other : ExtendedError.NotReady;
    return { reply: bareReply(Rcode.SERVFAIL, why), geo: undefined };
  }
  const { geo, age } = outcome;
  const reply = madeReply({ ...asked, ...outcome, match });
  const extendedErrors = age === 'stale' ? [ExtendedError.StaleAnswer] : [];
  const bits = geo === undefined ? 0 : scopeBits(geo, vantage);
  return { reply: { ...reply, scopeBits: bits, extendedErrors }, geo };
}

function staticReply(
  { aliases, name }: Chase,
  found: Exclude<End, { kind: 'geo' | 'borrowed' }> | undefined,
  type: number,
): Reply {
  switch (found?.kind) {
    case undefined:
      return positive(aliases);
    case 'records':
      return positive([...aliases, found.entry]);
    case 'referral':
      return referralReply(aliases, found);
    case 'nodata':
      return negativeReply(aliases, nodata(found.match, type));
    case 'nxdomain':
      return negativeReply(aliases, { kind: 'nxdomain', zone: found.zone, name });
  }
}

function positive(answer: readonly Entry[]): Reply {
  return { ...positiveReply(answer), additional: targetAddresses(answer) };
}

function nodata(
  { owner, zone, node, wildcard }: Match,
  type: number,
): Extract<Denial, { kind: 'nodata' }> {
  return { kind: 'nodata', zone, name: owner, type, node, wildcard };
}

function referralReply(
  aliases: readonly Entry[],
  { entry, node }: Extract<End, { kind: 'referral' }>,
): Reply {
  const { zone, owner: cut, rrset } = entry;
  // A name server in the child is found only by its glue; others can be asked for (RFC 9471 §3).
  const inside = rrset.targets.filter((name) => isWithin(name, cut));
  const beside = rrset.targets.filter((name) => !isWithin(name, cut));
  return {
    ...bareReply(Rcode.NOERROR),
    // Only what was answered from our own data is authoritative (RFC 1034 §4.3.1).
    authoritative: aliases.length > 0,
    answer: aliases,
    authority: [entry],
    glue: inside.flatMap((name) => addressesAt(zone, name)),
    additional: beside.slice(0, TARGETS_MAX).flatMap((name) => addressesAt(zone, name)),
    denial: { kind: 'delegation', zone, name: cut, node },
  };
}

/**
 * Addresses of what the answer leads to, as far as they are data of its zone, not glue; and where
 * an alias of a service leads, what the service is there (RFC 9460 §4.1).
 */
function targetAddresses(answer: readonly Entry[]): readonly Entry[] {
  const seen = new Set<NameKey>();
  return answer.flatMap(({ rrset, zone }) =>
    rrset.targets
      .filter((name) => !seen.has(name) && seen.add(name).size <= TARGETS_MAX)
      .filter((name) => zone.nodes.get(name)?.cut === undefined)
      .flatMap((name) => [...serviceAt(zone, name, rrset.type), ...addressesAt(zone, name)]),
  );
}

function serviceAt(zone: CompiledZone, owner: NameKey, type: number): readonly Entry[] {
  if (type !== RecordType.HTTPS && type !== RecordType.SVCB) return [];
  const rrset = zone.nodes.get(owner)?.rrsets.get(type);
  return rrset === undefined ? [] : [{ owner, rrset, zone, wildcard: undefined }];
}

function addressesAt(zone: CompiledZone, owner: NameKey): readonly Entry[] {
  const rrsets = zone.nodes.get(owner)?.rrsets;
  return [rrsets?.get(RecordType.A), rrsets?.get(RecordType.AAAA)]
    .filter((rrset) => rrset !== undefined)
    .map((rrset) => ({ owner, rrset, zone, wildcard: undefined }));
}
