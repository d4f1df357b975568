import { describe, expect, test } from 'vitest';
import { records } from '../dns.fixture.ts';
import { parseName, ROOT } from '../message/name.ts';
import { ecdsaSign, type SignPort } from './ecdsa.ts';
import { INCEPTION_BACK_S, LIFETIME_S, REFRESH_S } from './signature.ts';
import { PASSING_SIGNATURES_MAX, Signatures } from './signatures.ts';
import {
  askSigned,
  dsOfKey,
  GERMANY,
  JAPAN,
  KEY,
  NOW_MS,
  SIGNED,
  signedSnapshot,
  zoneKey,
} from './signed.fixture.ts';
import { faultsOf, trustKeys } from './verifier.fixture.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const ZONE = parseName('example.com') ?? ROOT;

/** Counts what is signed. */
function counting(): { readonly signatures: Signatures; readonly count: () => number } {
  let made = 0;
  const sign: SignPort = (data, key) => {
    made += 1;
    return ecdsaSign(data, key);
  };
  return { signatures: new Signatures(sign), count: () => made };
}

const snapshot = signedSnapshot();
const EVERYTHING = [
  ['example.com', 'MX'],
  ['example.com', 'DNSKEY'],
  ['www.example.com', 'A'],
  ['site.example.com', 'A'],
  ['no.example.com', 'A'],
  ['x.wild.example.com', 'A'],
  ['www.secure.example.com', 'A'],
] as const;

describe('what was signed once', () => {
  test('keeps no more than its own bytes alive, however many there are', () => {
    const { signatures } = counting();
    const zone = snapshot.zones.get(ZONE);
    const rrset = zone?.soa;
    if (zone?.signing === undefined || rrset === undefined) throw new Error('no signed zone');
    const entry = { owner: ZONE, rrset, zone: { ...zone, signing: zone.signing } };
    const { records: made } = signatures.of({ ...entry, wildcard: undefined }, NOW_MS);
    const parts = made.flatMap((record) => record.parts).filter((part) => typeof part !== 'string');
    expect(parts.map(({ buffer }) => buffer.byteLength)).toEqual(parts.map(({ length }) => length));
    expect(parts).toHaveLength(1);
  });

  test('is not signed again, whoever asks', () => {
    const { signatures, count } = counting();
    for (const client of [JAPAN, GERMANY]) {
      for (const [name, type] of EVERYTHING)
        askSigned(snapshot, name, type, { signatures, client });
    }
    const first = count();
    for (let times = 0; times < 3; times += 1)
      for (const client of [JAPAN, GERMANY])
        for (const [name, type] of EVERYTHING)
          askSigned(snapshot, name, type, { signatures, client });
    expect(count()).toBe(first);
    // One signature for each set of addresses, not for each client.
    const before = count();
    for (let host = 1; host < 50; host += 1)
      askSigned(snapshot, 'site.example.com', 'A', {
        ...{ signatures, client: { address: `1.2.3.${host}`, transport: 'udp' } },
      });
    expect(count()).toBe(before);
  });

  test('is not signed again for another version of the zone, where it stays the same', () => {
    const { signatures, count } = counting();
    const ask = (serial: number, ...more: ReturnType<typeof records>[]): void => {
      const zone = { ...SIGNED, serial, records: [...SIGNED.records, ...more] };
      askSigned(signedSnapshot(zone), 'example.com', 'MX', { signatures });
      askSigned(signedSnapshot(zone), 'example.com', 'SOA', { signatures });
    };
    ask(1);
    const first = count();
    ask(2, records('new.example.com', 'A', '192.0.2.1'));
    expect(count()).toBe(first + 1);
  });

  test('is signed again for another key', () => {
    const { signatures, count } = counting();
    for (const keys of [[KEY], [zoneKey('other')]])
      askSigned(signedSnapshot({ ...SIGNED, keys }), 'example.com', 'SOA', { signatures });
    expect(count()).toBe(2);
  });

  test('stays, however many names are asked for that are not there', () => {
    const { signatures, count } = counting();
    askSigned(snapshot, 'site.example.com', 'A', { signatures, client: JAPAN });
    for (let index = 0; index < PASSING_SIGNATURES_MAX + 10; index += 1)
      askSigned(snapshot, `n${index}.example.com`, 'A', { signatures });
    const before = count();
    askSigned(snapshot, 'site.example.com', 'A', { signatures, client: JAPAN });
    askSigned(snapshot, `n${PASSING_SIGNATURES_MAX}.example.com`, 'A', { signatures });
    expect(count()).toBe(before);
    // The first of them was pushed out by the last.
    askSigned(snapshot, 'n0.example.com', 'A', { signatures });
    expect(count()).toBe(before + 1);
  });
});

describe('clocks', () => {
  const ds = [dsOfKey(SIGNED, KEY)];
  const faults = (serverMs: number, readerMs: number, signatures = new Signatures(ecdsaSign)) => {
    const asked = { nowMs: serverMs, signatures };
    const readerS = readerMs / 1000;
    const keys = trustKeys(askSigned(snapshot, 'example.com', 'DNSKEY', asked), ds, readerS);
    return EVERYTHING.flatMap(([name, type]) =>
      faultsOf(askSigned(snapshot, name, type, asked), keys, readerS),
    );
  };

  test.each([
    { when: 'both are right', offHours: 0 },
    { when: 'ours is 23 hours ahead', offHours: 23 },
    { when: 'ours is 2 days behind', offHours: -48 },
  ])(
    'answers are good, also those that resolvers have kept for a day, when $when',
    ({ offHours }) => {
      const serverMs = NOW_MS + offHours * HOUR_MS;
      expect(faults(serverMs, NOW_MS)).toEqual([]);
      expect(faults(serverMs, NOW_MS + DAY_MS)).toEqual([]);
    },
  );

  test('for weeks, signatures are renewed before they are near their end', () => {
    const { signatures, count } = counting();
    let made = 0;
    for (let hour = 0; hour <= 21 * 24; hour += 6) {
      const nowMs = NOW_MS + hour * HOUR_MS;
      // Also two days and a TTL later, nothing has ended.
      expect(faults(nowMs, nowMs + 3 * DAY_MS, signatures)).toEqual([]);
      if (hour === 0) made = count();
    }
    // Each lives for 3 to 4 days until it is made again.
    expect(count()).toBeGreaterThan(4 * made);
    expect(count()).toBeLessThan(9 * made);
  });

  test('a clock that is set back makes new signatures, not ones of the future', () => {
    const signatures = new Signatures(ecdsaSign);
    expect(faults(NOW_MS + 30 * DAY_MS, NOW_MS + 30 * DAY_MS, signatures)).toEqual([]);
    expect(faults(NOW_MS, NOW_MS, signatures)).toEqual([]);
  });

  test('times go round (RFC 4034 §3.1.5), and nothing throws far from now', () => {
    for (const nowMs of [0, 2 ** 32 * 1000 - DAY_MS, 2 ** 33 * 1000])
      expect(askSigned(snapshot, 'example.com', 'SOA', { nowMs }).rcode).toBe(0);
  });

  test('the margins go together', () => {
    expect(REFRESH_S).toBeLessThan(LIFETIME_S - INCEPTION_BACK_S);
  });
});
