import { expect, test } from 'vitest';
import { KeyedHash } from './keyed-hash.ts';

const KEY = Uint8Array.from({ length: 8 }, (_, index) => index);

function hashOf(bytes: Uint8Array, key: Uint8Array = KEY): string {
  const hash = new KeyedHash(key);
  hash.hash(bytes, bytes.length);
  return `${hash.low.toString(16)} ${hash.high.toString(16)}`;
}

test('every byte, every length and every key counts', () => {
  const inputs = Array.from({ length: 64 }, (_, length) => Buffer.alloc(length));
  const flipped = Array.from({ length: 32 }, (_, at) => Buffer.alloc(32).fill(1, at, at + 1));
  const keys = Array.from({ length: 8 }, (_, at) => Uint8Array.from(KEY).fill(0xff, at, at + 1));
  const hashes = [
    ...inputs.map((bytes) => hashOf(bytes)),
    ...flipped.map((bytes) => hashOf(bytes)),
    ...keys.map((key) => hashOf(Buffer.alloc(9), key)),
  ];
  expect(new Set(hashes).size).toBe(hashes.length);
});

test('bytes after the length do not count', () => {
  const hash = new KeyedHash(KEY);
  hash.hash(Buffer.from('abcdefgh'), 5);
  const first = [hash.low, hash.high];
  hash.hash(Buffer.from('abcdeXYZ'), 5);
  expect([hash.low, hash.high]).toEqual(first);
});

test('spreads counting inputs evenly', () => {
  const hash = new KeyedHash(KEY);
  const bytes = Buffer.alloc(4);
  const slots = new Uint32Array(64);
  for (let count = 0; count < 64_000; count += 1) {
    bytes.writeUInt32LE(count);
    hash.hash(bytes, 4);
    slots[hash.low & 63] = (slots[hash.low & 63] ?? 0) + 1;
  }
  // 1000 each, give or take five standard deviations.
  expect(Math.min(...slots)).toBeGreaterThan(840);
  expect(Math.max(...slots)).toBeLessThan(1160);
});
