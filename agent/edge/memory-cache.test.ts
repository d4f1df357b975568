import { expect, test } from 'vitest';
import type { Digest } from '../../runtime/digest.ts';
import { createMemoryCache } from './memory-cache.ts';

const name = (index: number): Digest => `sha256-${String(index).padStart(64, '0')}`;
const bytes = (count: number) => new Uint8Array(count);

test('the least recently used file goes when the budget is used up', () => {
  const cache = createMemoryCache({ budgetBytes: 10, fileBytesMax: 5 });
  cache.put(name(1), bytes(5));
  cache.put(name(2), bytes(5));
  expect(cache.get(name(1))).toHaveLength(5);
  cache.put(name(3), bytes(1));
  expect(cache.get(name(2))).toBeUndefined();
  expect(cache.get(name(1))).toHaveLength(5);
  expect(cache.usedBytes()).toBe(6);
});

test('a file at the limit is kept, one byte more is not', () => {
  const cache = createMemoryCache({ budgetBytes: 10, fileBytesMax: 5 });
  cache.put(name(1), bytes(6));
  expect(cache.usedBytes()).toBe(0);
  cache.put(name(2), bytes(5));
  cache.put(name(2), bytes(5));
  expect(cache.usedBytes()).toBe(5);
});

test('an empty file is found again', () => {
  const cache = createMemoryCache();
  cache.put(name(1), bytes(0));
  expect(cache.get(name(1))).toHaveLength(0);
});
