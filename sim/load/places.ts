import type { Subnet } from './dns-query.ts';

/** Degrees, WGS 84. */
export interface Place {
  readonly latitude: number;
  readonly longitude: number;
}

/** Where a client is. */
export interface Where extends Place {
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
  /** Two letters: EU, AS, NA. */
  readonly continent: string;
}

/**
 * Where MaxMind's test database, `GeoLite2-City-Test`, has the clients of the world; undefined: it
 * does not know. Copied by hand, so that a fault of who reads it in production cannot hide itself.
 */
const PLACES: ReadonlyMap<string, Where | undefined> = new Map([
  ['81.2.69.142', { latitude: 51.5142, longitude: -0.0931, country: 'GB', continent: 'EU' }],
  ['89.160.20.112', { latitude: 58.4167, longitude: 15.6167, country: 'SE', continent: 'EU' }],
  ['175.16.199.1', { latitude: 43.88, longitude: 125.3228, country: 'CN', continent: 'AS' }],
  ['216.160.83.56', { latitude: 47.2513, longitude: -122.3149, country: 'US', continent: 'NA' }],
  ['198.51.100.7', undefined],
  ['202.196.224.1', { latitude: 13, longitude: 122, country: 'PH', continent: 'AS' }],
  ['214.78.0.1', { latitude: 32.6783, longitude: -117.1291, country: 'US', continent: 'NA' }],
  ['67.43.156.1', { latitude: 27.5, longitude: 90.5, country: 'BT', continent: 'AS' }],
  ['203.0.113.20', undefined],
  // The networks below, by their first address.
  ['175.16.199.0', { latitude: 43.88, longitude: 125.3228, country: 'CN', continent: 'AS' }],
  ['202.196.224.0', { latitude: 13, longitude: 122, country: 'PH', continent: 'AS' }],
  ['214.78.0.0', { latitude: 32.6783, longitude: -117.1291, country: 'US', continent: 'NA' }],
  ['192.0.2.0', undefined],
]);

/** Networks that resolvers ask for, some of them without telling all that they know. */
export const SUBNETS: readonly Subnet[] = [
  { address: '175.16.199.0', bits: 24 },
  { address: '202.196.224.0', bits: 20 },
  { address: '214.78.0.0', bits: 20 },
  { address: '192.0.2.0', bits: 24 },
];

/** Addresses of clients: those of known places first, and some of unknown ones among them. */
export const CLIENTS: readonly string[] = [...PLACES.keys()].slice(0, 9);

/** Throws for an address that is no client's. */
export function whereOf(address: string): Where | undefined {
  if (!PLACES.has(address)) throw new RangeError(`${address} is no client's`);
  return PLACES.get(address);
}
