import type { GeoName } from '../../proto/gen/b8s/v1/plan.ts';
import { formatAddress } from './address.ts';
import { RecordType } from './codes.ts';
import type { Location } from './geography.ts';
import { type Routing, routeGeoName } from './route.ts';
import type { RecordData } from './rrset.ts';
import type { DnsSnapshot } from './snapshot.ts';

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
  return routing.chosen.flatMap(({ addresses }) => addresses).map(addressRecord);
}

export function addressRecord(address: Uint8Array): RecordData {
  return { parts: [address], text: formatAddress(address) };
}

/**
 * How many bits of the client's address the answer holds for (RFC 7871 §7.2.1): the database's
 * prefix if the place decided, all that we know if the address itself did.
 */
export function scopeBits({ routing, location }: GeoResolution, vantage: Vantage): number {
  if (routing.order === 'failover' || routing.chosen.length === 0) return 0;
  const bits = routing.order === 'nearest' ? location?.prefixBits : undefined;
  return Math.min(bits ?? vantage.knownBits, vantage.knownBits);
}
