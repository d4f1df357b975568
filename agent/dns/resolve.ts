import { formatAddress } from './address.ts';
import { Rcode, RecordType } from './codes.ts';
import type { Location } from './geography.ts';
import { type Found, lookup } from './lookup.ts';
import type { Question } from './message.ts';
import { isWithin, type NameKey } from './name.ts';
import { bareReply, type Reply } from './response.ts';
import { type Routing, routeGeoName } from './route.ts';
import type { Entry, Rrset } from './rrset.ts';
import { type DnsSnapshot, zoneOf } from './snapshot.ts';
import type { CompiledZone } from './zone.ts';

/** Whose place an answer is made for. */
export interface Vantage {
  /** 4 or 16 bytes. */
  readonly address: Uint8Array;
  /** How many of its bits are known: all, or those that a resolver sent. */
  readonly knownBits: number;
}

/** A reply, and how it came about. */
export interface Resolution {
  readonly reply: Reply;
  /** Undefined: the name is in no zone of ours. */
  readonly zone: CompiledZone | undefined;
  /** Present if the answer depended on who asked. */
  readonly geo: GeoResolution | undefined;
}

export interface GeoResolution {
  readonly routing: Routing;
  readonly location: Location | undefined;
  readonly ttlS: number;
}

/** Longer chains of aliases are answered as far as this. */
export const ALIASES_MAX = 8;
/** Addresses of more targets than this are left for the resolver to ask for. */
const TARGETS_MAX = 16;

/** The reply to an accepted question: pure, from one snapshot. */
export function resolve(snapshot: DnsSnapshot, question: Question, vantage: Vantage): Resolution {
  const zone = zoneOf(snapshot.zones, question.name);
  if (zone === undefined) {
    return { reply: bareReply(Rcode.REFUSED), zone, geo: undefined };
  }
  const { aliases, found } = followAliases(zone, question);
  if (found?.kind === 'geo') {
    const geo = resolveGeo(snapshot, found, question, vantage);
    const rrset = addressRrset(geo, question.type);
    const reply =
      rrset === undefined
        ? negativeReply(zone, aliases, Rcode.NOERROR)
        : positiveReply(zone, [...aliases, { owner: found.owner, rrset }]);
    return { reply: { ...reply, scopeBits: scopeBits(geo, vantage) }, zone, geo };
  }
  return { reply: staticReply(zone, aliases, found), zone, geo: undefined };
}

/** Aliases whose targets lie in the zone are followed (RFC 1034 §4.3.2 step 3a). */
function followAliases(
  zone: CompiledZone,
  question: Question,
): {
  readonly aliases: readonly Entry[];
  readonly found: Exclude<Found, { kind: 'alias' }> | undefined;
} {
  const aliases: Entry[] = [];
  let name = question.name;
  while (isWithin(name, zone.origin) && aliases.length < ALIASES_MAX) {
    const found = lookup(zone, name, question.type);
    if (found.kind !== 'alias') return { aliases, found };
    aliases.push(found.entry);
    name = found.target;
    if (aliases.some(({ owner }) => owner === name)) break;
  }
  return { aliases, found: undefined };
}

function staticReply(
  zone: CompiledZone,
  aliases: readonly Entry[],
  found: Exclude<Found, { kind: 'alias' | 'geo' }> | undefined,
): Reply {
  if (found === undefined) return positiveReply(zone, aliases);
  switch (found.kind) {
    case 'records':
      return positiveReply(zone, [...aliases, found.entry]);
    case 'referral':
      return {
        ...bareReply(Rcode.NOERROR),
        // Only what was answered from our own data is authoritative (RFC 1034 §4.3.1).
        authoritative: aliases.length > 0,
        answer: aliases,
        authority: [found.entry],
        additional: targetAddresses(zone, [found.entry]),
        additionalIs: 'required',
      };
    case 'nodata':
      return negativeReply(zone, aliases, Rcode.NOERROR);
    case 'nxdomain':
      return negativeReply(zone, aliases, Rcode.NXDOMAIN);
  }
}

function positiveReply(zone: CompiledZone, answer: readonly Entry[]): Reply {
  const additional = targetAddresses(zone, answer);
  return { ...bareReply(Rcode.NOERROR), authoritative: true, answer, additional };
}

/** RFC 2308 §2. After aliases the code speaks of the last name (RFC 6604 §3). */
function negativeReply(zone: CompiledZone, aliases: readonly Entry[], rcode: Rcode): Reply {
  const soa = { owner: zone.origin, rrset: zone.negativeSoa };
  return { ...bareReply(rcode), authoritative: true, answer: aliases, authority: [soa] };
}

function targetAddresses(zone: CompiledZone, entries: readonly Entry[]): readonly Entry[] {
  const targets = new Set<NameKey>(entries.flatMap(({ rrset }) => rrset.targets));
  return [...targets].slice(0, TARGETS_MAX).flatMap((owner) => {
    const rrsets = zone.nodes.get(owner)?.rrsets;
    const addresses = [rrsets?.get(RecordType.A), rrsets?.get(RecordType.AAAA)];
    return addresses.filter((rrset) => rrset !== undefined).map((rrset) => ({ owner, rrset }));
  });
}

function resolveGeo(
  { nodes, health, locate }: DnsSnapshot,
  { geoName }: Extract<Found, { kind: 'geo' }>,
  { type }: Question,
  vantage: Vantage,
): GeoResolution {
  const location = locate(vantage.address);
  const family = type === RecordType.A ? 'A' : 'AAAA';
  const client = vantage.address;
  const routing = routeGeoName({ geoName, nodes, health, family, client, location });
  return { routing, location, ttlS: geoName.ttlS };
}

function addressRrset({ routing, ttlS }: GeoResolution, type: number): Rrset | undefined {
  const addresses = routing.chosen.flatMap((candidate) => candidate.addresses);
  if (addresses.length === 0) return undefined;
  const records = addresses.map((address) => ({
    parts: [address],
    text: formatAddress(address),
  }));
  return { type, ttlS, records, targets: [] };
}

/**
 * How many bits of the client's address the answer holds for (RFC 7871 §7.2.1): the database's
 * prefix if the place decided, all that we know if the address itself did.
 */
function scopeBits({ routing, location }: GeoResolution, vantage: Vantage): number {
  if (routing.order === 'failover' || routing.chosen.length === 0) return 0;
  const bits = routing.order === 'nearest' ? location?.prefixBits : undefined;
  return Math.min(bits ?? vantage.knownBits, vantage.knownBits);
}
