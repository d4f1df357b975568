import { describe, expect, test } from 'vitest';
import { dsOf, hostWire } from './dnssec.ts';
import { fixtureKey, signSet } from './dnssec-sign.fixture.ts';
import { isDsOf, verifyRrsig } from './dnssec-verify.ts';

const NOW_MS = Date.parse('2027-01-15T12:00:00Z');
const ORIGIN = hostWire('example.com');
const [KEY, OTHER] = [fixtureKey('one'), fixtureKey('two')];
const DNSKEY = 48;
const set = { origin: ORIGIN, type: DNSKEY, records: [KEY.rdata, OTHER.rdata] };
const keys = set.records;

test('a good signature says until when, whatever the order of the records', () => {
  const rrsig = signSet(set, { key: KEY, nowMs: NOW_MS });
  const good = { kind: 'good', keyTag: KEY.keyTag, untilMs: NOW_MS + 7 * 86_400_000 };
  expect(verifyRrsig(set, { rrsig, keys }, NOW_MS)).toEqual(good);
  const turned = { ...set, records: set.records.toReversed() };
  expect(verifyRrsig(turned, { rrsig, keys: [KEY.rdata] }, NOW_MS)).toEqual(good);
});

describe('RFC 4035 §5.3.1: what must hold of a signature', () => {
  test.each<{ when: string; given: Parameters<typeof signSet>[2]; says: object }>([
    {
      when: 'it has ended',
      given: { untilS: -60 },
      says: { kind: 'bad', why: 'ended at 2027-01-15T11:59:00.000Z' },
    },
    { when: 'it ends now', given: { untilS: 0 }, says: { kind: 'good' } },
    {
      when: 'it has not begun',
      given: { fromS: 60 },
      says: { kind: 'bad', why: 'has not begun' },
    },
    {
      when: 'it is of another zone',
      given: { signer: 'example.net' },
      says: { kind: 'bad', why: 'is signed by another zone' },
    },
    { when: 'its algorithm is another', given: { algorithm: 8 }, says: { kind: 'unknown' } },
  ])('$when', ({ given, says }) => {
    const rrsig = signSet(set, { key: KEY, nowMs: NOW_MS }, given);
    expect(verifyRrsig(set, { rrsig, keys }, NOW_MS)).toMatchObject(says);
  });

  test('its key is one of those that are there, and a zone key', () => {
    const rrsig = signSet(set, { key: KEY, nowMs: NOW_MS });
    const why = `is of key ${KEY.keyTag}, which is not there`;
    const noZoneKey = Uint8Array.from(KEY.rdata, (byte, index) => (index === 0 ? 0 : byte));
    for (const there of [[OTHER.rdata], [], [noZoneKey]])
      expect(verifyRrsig(set, { rrsig, keys: there }, NOW_MS)).toEqual({ kind: 'bad', why });
  });

  test('the records are those that were signed', () => {
    const rrsig = signSet(set, { key: KEY, nowMs: NOW_MS });
    const fewer = { ...set, records: [KEY.rdata] };
    const why = `of key ${KEY.keyTag} is false`;
    expect(verifyRrsig(fewer, { rrsig, keys }, NOW_MS)).toEqual({ kind: 'bad', why });
  });

  test('times go round their circle', () => {
    const nowMs = Date.parse('2106-02-07T06:28:00Z');
    const rrsig = signSet(set, { key: KEY, nowMs });
    expect(verifyRrsig(set, { rrsig, keys }, nowMs)).toMatchObject({ kind: 'good' });
  });
});

test('whatever bytes come, nothing is thrown, and nothing that was changed is good', () => {
  const rrsig = signSet(set, { key: KEY, nowMs: NOW_MS });
  for (let length = 0; length < rrsig.length; length += 1) {
    const cut = rrsig.subarray(0, length);
    expect(verifyRrsig(set, { rrsig: cut, keys }, NOW_MS).kind).not.toBe('good');
    // One bit more or less, anywhere.
    const flipped = Uint8Array.from(rrsig, (byte, at) => (at === length ? byte ^ 1 : byte));
    expect(verifyRrsig(set, { rrsig: flipped, keys }, NOW_MS).kind).not.toBe('good');
  }
  for (const key of [new Uint8Array(0), new Uint8Array(68), Uint8Array.of(1, 1, 3, 13)])
    expect(verifyRrsig(set, { rrsig, keys: [key] }, NOW_MS).kind).toBe('bad');
});

test('RFC 4034 §5.1.4: whose a DS is', () => {
  const { keyTag, algorithm, digestType, digest } = dsOf(ORIGIN, KEY.publicKey);
  const ds = `${keyTag} ${algorithm} ${digestType} ${digest}`;
  expect(isDsOf(ds, ORIGIN, KEY.rdata)).toBe(true);
  expect(isDsOf(ds, hostWire('example.net'), KEY.rdata)).toBe(false);
  expect(isDsOf(ds, ORIGIN, OTHER.rdata)).toBe(false);
  // GOST R 34.11-94, which nobody needs to know (RFC 9558).
  expect(isDsOf(`${keyTag} 13 3 ${digest}`, ORIGIN, KEY.rdata)).toBeUndefined();
  expect(isDsOf('', ORIGIN, KEY.rdata)).toBe(false);
});
