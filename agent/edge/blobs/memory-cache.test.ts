import { expect, test } from 'vitest';
import { digestOf } from '../../../runtime/content/digest.ts';
import { createMemoryCache, type MemoryCache } from './memory-cache.ts';

const name = (index: number) => digestOf(Buffer.from(`file ${index}`));
const bytes = (count: number) => new Uint8Array(count);

/** As the blob source does. Says whether it was in memory. */
function ask(cache: MemoryCache, index: number, sizeBytes: number): boolean {
  const isThere = cache.get(name(index)) !== undefined;
  if (!isThere) cache.put(name(index), bytes(sizeBytes));
  return isThere;
}

test('once it is full, the one that was not asked for the longest makes way for a popular one', () => {
  const cache = createMemoryCache({ budgetBytes: 10, fileBytesMax: 5 });
  ask(cache, 1, 5);
  ask(cache, 2, 5);
  expect(ask(cache, 1, 5)).toBe(true);
  ask(cache, 3, 1);
  ask(cache, 3, 1);
  expect(cache.usedBytes()).toBe(10);
  // Two more than the one that goes.
  ask(cache, 3, 1);
  expect(cache.usedBytes()).toBe(6);
  expect([1, 2, 3].map((index) => cache.get(name(index)) !== undefined)).toEqual([
    ...[true, false, true],
  ]);
});

test('who asks for everything once pushes out nothing', () => {
  const cache = createMemoryCache({ budgetBytes: 100, fileBytesMax: 5 });
  for (let round = 0; round < 3; round += 1)
    for (let index = 0; index < 100; index += 1) ask(cache, index, 1);
  for (let index = 1000; index < 9000; index += 1) ask(cache, index, 1);
  const left = Array.from({ length: 100 }, (_, index) => ask(cache, index, 1));
  expect(left.filter(Boolean)).toHaveLength(100);
});

test('what is popular now takes the place of what was', () => {
  const cache = createMemoryCache({ budgetBytes: 100, fileBytesMax: 5 });
  for (let round = 0; round < 300; round += 1)
    for (let index = 0; index < 100; index += 1) ask(cache, index, 1);
  let found = 0;
  for (let round = 0; round < 300; round += 1)
    for (let index = 1000; index < 1100; index += 1) found += ask(cache, index, 1) ? 1 : 0;
  expect(found).toBeGreaterThan(100);
  const isThere = Array.from({ length: 100 }, (_, index) => ask(cache, index + 1000, 1));
  expect(isThere.filter(Boolean)).toHaveLength(100);
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
