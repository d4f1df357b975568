import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseAddress } from '../geo/address.ts';
import { openGeoDatabase } from '../geo/geo-database.ts';
import type { Locate, Location } from '../geo/geography.ts';
import { seededRandom } from '../seeded.fixture.ts';
import { compileGeoTable } from './compile.ts';
import { madeDatabase, type Network } from './made.fixture.ts';
import { openMmdb } from './mmdb.ts';
import { isWholeGeoTable, openGeoTable } from './table.ts';
import { ipv4Root, walkLeaves } from './walk.ts';

const GEOLITE = new URL('../testdata/GeoLite2-City-Test.mmdb', import.meta.url);

/** The table of a database, and the database as another reader has it (mmdb-lib). */
function both(bytes: Buffer): { readonly table: Locate; readonly database: Locate } {
  const table = compileGeoTable({ source: 'it', bytes });
  expect(isWholeGeoTable(table)).toBe(true);
  return {
    table: openGeoTable({ source: 'it', bytes: table }),
    database: openGeoDatabase({ source: 'it', bytes }),
  };
}

/** Everything but the prefix, which is often wider. */
function placeText(location: Location | undefined): string {
  if (location === undefined) return 'nowhere';
  const { latitude, longitude, country, continent } = location;
  return [latitude, longitude, country, continent].join(' ');
}

function valueOf(address: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(address).toString('hex')}`);
}

function addressOf(value: bigint, bytes: number): Uint8Array {
  return Buffer.from(value.toString(16).padStart(2 * bytes, '0'), 'hex');
}

interface Compared {
  readonly table: Locate;
  readonly database: Locate;
}

/**
 * The same place; and the prefix is one whose ends have that place, too, and which holds all that
 * the database answers alike.
 */
function compare({ table, database }: Compared, address: Uint8Array): Location | undefined {
  const [found, right] = [table(address), database(address)];
  const which = Buffer.from(address).toString('hex');
  if (placeText(found) !== placeText(right))
    throw new Error(`${which}: ${placeText(found)} instead of ${placeText(right)}`);
  if (found === undefined || right === undefined) return undefined;
  if (found.prefixBits > right.prefixBits)
    throw new Error(`${which}: /${found.prefixBits}, and the database has /${right.prefixBits}`);
  for (const end of endsOf(address, found.prefixBits)) {
    if (placeText(database(end)) !== placeText(right))
      throw new Error(`${which}: another place at an end of its /${found.prefixBits}`);
  }
  return found;
}

/** The first and the last address of the prefix. */
function endsOf(address: Uint8Array, bits: number): readonly Uint8Array[] {
  const rest = (1n << BigInt(8 * address.length - bits)) - 1n;
  const first = valueOf(address) & ~rest;
  return [first, first | rest].map((value) => addressOf(value, address.length));
}

/** Both sides of every boundary between leaves of the tree. */
function compareBoundaries(bytes: Buffer, { words, root }: { words: 1 | 4; root: number }): number {
  const each = both(bytes);
  const mmdb = openMmdb(bytes);
  const starts: bigint[] = [];
  const onLeaf = (address: Uint32Array): void => {
    starts.push(address.reduce((sum, word) => (sum << 32n) | BigInt(word), 0n));
  };
  const stop = words === 4 ? ipv4Root(mmdb) : -1;
  walkLeaves(mmdb, { root, bits: words === 4 ? 128 : 32 }, { onLeaf, stop });
  for (const start of starts) {
    compare(each, addressOf(start, 4 * words));
    if (start > 0n) compare(each, addressOf(start - 1n, 4 * words));
  }
  return starts.length;
}

describe('made databases', () => {
  const RECORDS = [
    {
      location: { latitude: 1.5, longitude: 2.5 },
      country: { iso_code: 'DE' },
      continent: { code: 'EU' },
    },
    { latitude: 1.1, longitude: 2.2, country_code: 'FR', city: 'A' },
    { latitude: 1.1, longitude: 2.2, country_code: 'FR', city: 'B' },
    { country: { iso_code: 'JP' } },
    { city: 'nowhere' },
    {
      city: { names: { latitude: 80, deep: { code: 'XX' } }, id: 7, in: [] },
      ...{ valueOf: 'no', latitude: 3.5, code: 'AF', longitude: -4.5, state: -1.5 },
      country_code: 'BR',
    },
    { latitude: -0, longitude: -180, country_code: 'ZZ' },
    ...Array.from({ length: 40 }, (_, index) => ({ latitude: index, longitude: -index })),
  ];

  test.each([
    { ipVersion: 4, recordBits: 24 },
    { ipVersion: 4, recordBits: 28 },
    { ipVersion: 4, recordBits: 32 },
    { ipVersion: 6, recordBits: 24 },
    { ipVersion: 6, recordBits: 28 },
    { ipVersion: 6, recordBits: 32 },
  ] as const)(
    'IPv$ipVersion, $recordBits bits: every prefix, and random addresses',
    ({ ipVersion, recordBits }) => {
      const random = seededRandom(ipVersion * recordBits);
      const below = (count: number): number => Math.floor(random() * count);
      const width = ipVersion === 4 ? 32 : 128;
      for (let round = 0; round < 4; round += 1) {
        const networks = Array.from({ length: 2 + below(150) }, (): Network => {
          const length = 1 + below(round % 2 === 0 ? 12 : width);
          const bits = Array.from({ length }, () => below(2)).join('');
          return { bits, record: below(8) === 0 ? undefined : below(RECORDS.length) };
        });
        const each = both(madeDatabase({ ipVersion, recordBits, networks, records: RECORDS }));
        for (const { bits } of networks) {
          const first = BigInt(`0b${bits}`) << BigInt(width - bits.length);
          const behind = first + (1n << BigInt(width - bits.length));
          const space = 1n << BigInt(width);
          for (const value of [first - 1n, first, behind - 1n, behind])
            compare(each, addressOf((value + space) % space, width / 8));
        }
        for (let count = 0; count < 200; count += 1) {
          compare(
            each,
            Uint8Array.from({ length: width / 8 }, () => below(256)),
          );
        }
      }
    },
  );

  test('neighbours of one place are one prefix, whatever else their records say', () => {
    const networks = [
      { bits: '00001010', record: 1 },
      { bits: '00001011', record: 2 },
    ];
    const { table } = both(
      madeDatabase({ ipVersion: 4, recordBits: 24, networks, records: RECORDS }),
    );
    const place = { latitude: 1.1, longitude: 2.2, country: 'FR', continent: 'EU' };
    expect(table('11.1.2.3')).toEqual({ ...place, prefixBits: 7, source: 'it' });
    expect(table('12.0.0.0')).toBeUndefined();
  });

  test('one place for all is a prefix of 0 bits', () => {
    const networks = [
      { bits: '0', record: 0 },
      { bits: '1', record: 0 },
    ];
    const { table } = both(
      madeDatabase({ ipVersion: 4, recordBits: 24, networks, records: RECORDS }),
    );
    expect(table('255.255.255.255')).toMatchObject({ latitude: 1.5, prefixBits: 0 });
  });

  test('IPv4 within IPv6 is kept once, and found through the networks that repeat it', () => {
    const zeros = '0'.repeat(96);
    const networks = [
      { bits: `${zeros}00001010`, record: 0 },
      { bits: `${zeros}0000101100000001`, record: 1 },
      { bits: '0010000000000011', record: 3 },
    ];
    const mapped = `${'0'.repeat(80)}${'1'.repeat(16)}`;
    const aliases = [
      [mapped, zeros],
      ['0010000000000010', zeros],
    ] as const;
    const made = madeDatabase({
      ipVersion: 6,
      recordBits: 24,
      networks,
      records: RECORDS,
      aliases,
    });
    const each = both(made);
    for (const text of [
      '10.1.2.3',
      '::10.1.2.3',
      '::ffff:10.1.2.3',
      '2002:a01:203::1',
      '2002:b01::',
      '2002:b02::',
      '2003::1',
      '2004::1',
      '::',
      '::ffff:12.0.0.1',
    ])
      compare(each, parseAddress(text) ?? new Uint8Array());
    expect(each.table('2002:a01:203::1')).toMatchObject({ latitude: 1.5, prefixBits: 24 });
    expect(each.table('::10.1.2.3')).toMatchObject({ latitude: 1.5, prefixBits: 104 });
    expect(each.table('2003::1')).toEqual({
      country: 'JP',
      continent: 'AS',
      prefixBits: 16,
      source: 'it',
    });
  });

  test('a tree that turns in a circle is refused, and so is one that is cut off', () => {
    const networks = [{ bits: '01', record: 0 }];
    const made = madeDatabase({ ipVersion: 4, recordBits: 24, networks, records: RECORDS });
    // The left branch of the second node leads back to the first.
    made.writeUIntBE(0, 6, 3);
    expect(() => compileGeoTable({ source: 'it', bytes: made })).toThrow('read it as a MaxMind DB');
    expect(() => compileGeoTable({ source: 'it', bytes: made.subarray(9) })).toThrow('MaxMind DB');
  });
});

test('GeoLite2: every boundary of both families', () => {
  const file = readFileSync(GEOLITE);
  const root = ipv4Root(openMmdb(file));
  expect(compareBoundaries(file, { words: 1, root })).toBeGreaterThan(200);
  expect(compareBoundaries(file, { words: 4, root: 0 })).toBeGreaterThan(200);
});

test('GeoLite2: its networks of IPv6', () => {
  const each = both(readFileSync(GEOLITE));
  for (const text of [
    '2001:218::',
    '2001:218:ffff::',
    '2001:217:ffff::1',
    '2002:5102:458e::',
    '::81.2.69.142',
    '2a02:cf40::1',
    '2a02:d000::',
  ])
    compare(each, parseAddress(text) ?? new Uint8Array());
});

describe('what is damaged is some place or none, and no error', () => {
  test('bits of a database', () => {
    const random = seededRandom(77);
    const file = readFileSync(GEOLITE);
    let read = 0;
    for (let round = 0; round < 150; round += 1) {
      const bytes = Buffer.from(file);
      for (let count = 0; count < 4; count += 1)
        bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
      try {
        const locate = openGeoTable({
          source: 'it',
          bytes: compileGeoTable({ source: 'it', bytes }),
        });
        for (const text of ['81.2.69.142', '2001:218::1', '0.0.0.0', '255.255.255.255'])
          locate(text);
        read += 1;
      } catch (error) {
        expect(String(error)).toContain('read it as a MaxMind DB');
      }
    }
    expect(read).toBeGreaterThan(20);
  });

  test('bits of a table, were its hash not looked at', () => {
    const random = seededRandom(78);
    const table = compileGeoTable({ source: 'it', bytes: readFileSync(GEOLITE) });
    for (let round = 0; round < 300; round += 1) {
      const bytes = Uint8Array.from(table);
      bytes[48 + Math.floor(random() * (bytes.length - 48))] = Math.floor(random() * 256);
      expect(isWholeGeoTable(bytes) && Buffer.compare(bytes, table) !== 0).toBe(false);
      try {
        const locate = openGeoTable({ source: 'it', bytes });
        for (let count = 0; count < 20; count += 1)
          locate(Uint8Array.from({ length: count % 2 ? 4 : 16 }, () => Math.floor(random() * 256)));
      } catch (error) {
        expect(String(error)).toContain('read it as a table of geography');
      }
    }
  });
});
