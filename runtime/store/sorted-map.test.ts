import { expect, test } from 'vitest';
import { CHUNK_ENTRIES_MAX, SortedMap } from './sorted-map.ts';

type Pairs = readonly (readonly [string, number])[];
const pairs = (count: number, step = 1): Pairs =>
  Array.from({ length: count }, (_, index) => [`k${step * index}`, index] as const);
const sorted = (entries: Iterable<readonly [string, number]>) =>
  [...new Map(entries)].toSorted(([a], [b]) => (a < b ? -1 : 1));

test.each([0, 1, CHUNK_ENTRIES_MAX, CHUNK_ENTRIES_MAX + 1, 5000])(
  'a map of %d, in the order of the keys',
  (count) => {
    const map = SortedMap.from(pairs(count));
    const want = sorted(pairs(count));
    expect([...map]).toEqual(want);
    expect([...map.keys()]).toEqual(want.map(([key]) => key));
    expect([...map.values()]).toEqual(want.map(([, value]) => value));
    const seen: unknown[] = [];
    map.forEach((value, key) => seen.push([key, value]));
    expect(seen).toEqual(want);
    expect(map.size).toBe(count);
    for (const [key, value] of want) expect([map.has(key), map.get(key)]).toEqual([true, value]);
    for (const key of ['', 'k', 'k0x', 'z']) {
      expect([map.has(key), map.get(key)]).toEqual([false, undefined]);
    }
  },
);

test('the order is that of UTF-16 code units, and of two with one key the later counts', () => {
  const [low, high] = ['\u{10000}', '\uffff'];
  const map = SortedMap.from([
    [high, 1],
    [low, 2],
    ['', 3],
    [high, 4],
  ] as const);
  expect([...map]).toEqual([
    ['', 3],
    [low, 2],
    [high, 4],
  ]);
});

test('changes lead to what they would in a plain map, and leave the one before alone', () => {
  let map = SortedMap.from<number>([]);
  let plain = new Map<string, number>();
  // Every step is another mix of what comes, what goes and what stays.
  for (let step = 1; step < 60; step += 1) {
    const entries = pairs((37 * step) % 300, (step % 7) + 1).map(
      ([key, value]) => [key, value + step] as const,
    );
    const removals = pairs((91 * step) % 400, (step % 5) + 1).map(([key]) => key);
    const before = [...map];
    const next = map.with({ removals, entries });
    expect([...map]).toEqual(before);
    plain = new Map([...plain].filter(([key]) => !removals.includes(key)));
    for (const [key, value] of entries) plain.set(key, value);
    expect([...next]).toEqual(sorted(plain));
    expect(next.size).toBe(plain.size);
    expect(next.chunks.every(({ length }) => length > 0 && length <= CHUNK_ENTRIES_MAX)).toBe(true);
    map = next;
  }
});

test('one change of ten thousand entries copies one chunk, none copies nothing', () => {
  const map = SortedMap.from(pairs(10_000));
  const next = map.with({ entries: [['k7919', -1]] });
  const fresh = next.chunks.filter((chunk) => !map.chunks.includes(chunk));
  expect(fresh).toHaveLength(1);
  expect(map.with({})).toBe(map);
  expect(map.with({ removals: ['none'] }).size).toBe(map.size);
});
