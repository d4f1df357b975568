import type { GeoName } from '../../../proto/gen/b8s/v1/plan.ts';
import { RecordType } from '../message/codes.ts';
import type { DnsSnapshot } from '../snapshot.ts';
import { distinctRecords, type RecordData } from '../zone/rrset.ts';
import { formatAddress } from './address.ts';
import type { Location } from './geography.ts';
import { PREFIX_BITS } from './rotation.ts';
import { type Routing, routeGeoName } from './route.ts';

/** Whose place an answer is made for. */
export interface Vantage {
  /** 4 or 16 bytes. */
  readonly address: Uint8Array;
  /** How many of its bits are known: all, or those that a resolver sent. */
  readonly knownBits: number;
}

/** What was decided for one client. */
export interface GeoResolution {
  readonly routing: Routing;
  readonly location: Location | undefined;
  readonly ttlS: number;
}

/** `type` is A or AAAA. */
export function resolveGeo(
  { nodes, health, locate }: DnsSnapshot,
  { geoName, type }: { readonly geoName: GeoName; readonly type: number },
  vantage: Vantage,
): GeoResolution {
  const location = locate(vantage.address);
  const family = type === RecordType.A ? 'A' : 'AAAA';
  const client = vantage.address;
  const routing = routeGeoName({ geoName, nodes, health, family, client, location });
  return { routing, location, ttlS: geoName.ttlS };
}

/** In the order of preference. */
export function geoRecords({ routing }: GeoResolution): readonly RecordData[] {
  return distinctRecords(routing.chosen.flatMap(({ addresses }) => addresses).map(addressRecord));
}

export function addressRecord(address: Uint8Array): RecordData {
  return { parts: [address], text: formatAddress(address) };
}

/**
 * How many bits of the client's address the answer holds for (RFC 7871 §7.2.1): the prefix that the
 * database has one place for if the place decided, the prefix of the rotation if that did; 0 if
 * everyone is answered alike. Where the place is unknown nothing is known of neighbours, either.
 */
export function scopeBits({ routing, location }: GeoResolution, vantage: Vantage): number {
  const { place, address } = routing.dependsOn;
  const { ipv4, ipv6 } = PREFIX_BITS;
  const rotationBits = vantage.address.length === 4 ? ipv4 : ipv6;
  const bits = Math.max(
    place === 'yes' ? (location?.prefixBits ?? vantage.knownBits) : 0,
    address === 'yes' ? rotationBits : 0,
  );
  return Math.min(bits, vantage.knownBits);
}
