import { createHash, createPublicKey, sign, verify } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Random } from '../random.ts';
import {
  dnskeyRdata,
  dsOf,
  dsText,
  generateZoneKey,
  hostWire,
  keyTagOf,
  parseZoneKey,
  publicKeyOf,
} from './dnssec.ts';

/** The key of example.net in RFC 6605 §6.1. */
const RFC_6605_KEY = Buffer.from(
  'GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA==',
  'base64',
);

test('RFC 6605 §6.1: key tag and DS of the example', () => {
  expect(keyTagOf(dnskeyRdata(RFC_6605_KEY))).toBe(55_648);
  expect(dsText(dsOf(hostWire('example.net'), RFC_6605_KEY))).toBe(
    '55648 13 2 B4C8C1FE2E7477127B27115656AD6256F424625BF5C1E2770CE6D6E37DF61D17',
  );
});

test.each([
  { name: 'example.com', wire: '076578616d706c6503636f6d00' },
  { name: '', wire: '00' },
])('the wire form of "$name"', ({ name, wire }) => {
  expect(Buffer.from(hostWire(name)).toString('hex')).toBe(wire);
});

test('a key is made from its random numbers alone, and signs', () => {
  const made = generateZoneKey(seeded('zone key'));
  expect(generateZoneKey(seeded('zone key'))).toEqual(made);
  expect(generateZoneKey(seeded('other')).privatePem).not.toBe(made.privatePem);
  const key = parseZoneKey(made.privatePem);
  expect(Buffer.from(publicKeyOf(key))).toEqual(Buffer.from(made.publicKey));
  const data = Buffer.from('data');
  const signature = sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' });
  const publicKey = createPublicKey(key);
  expect(verify('sha256', data, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature)).toBe(
    true,
  );
});

test('numbers that are no key are drawn again, and not for ever', () => {
  const good = Buffer.alloc(32, 7);
  const zeroFirst = drawing([Buffer.alloc(32), Buffer.alloc(32, 255), good]);
  expect(generateZoneKey(zeroFirst)).toEqual(generateZoneKey(drawing([good])));
  expect(() => generateZoneKey(drawing(Array(99).fill(Buffer.alloc(32))))).toThrow('8 random');
});

test.each(['', 'x', '-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n'])(
  'what is no key is refused without being repeated',
  (text) => {
    expect(() => parseZoneKey(text)).toThrow(/^a private key is not ECDSA P-256 in PEM$/);
  },
);

function seeded(seed: string): Random {
  return {
    next: () => 0,
    bytes: (count) => createHash('sha256').update(seed).digest().subarray(0, count),
  };
}

function drawing(numbers: readonly Uint8Array[]): Random {
  const left = [...numbers];
  return { next: () => 0, bytes: () => left.shift() ?? new Uint8Array(32) };
}
