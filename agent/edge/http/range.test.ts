import { expect, test } from 'vitest';
import { parseRanges, RANGES_MAX } from './range.ts';

const SIZE = 10_000;
const ranges = (...pairs: readonly (readonly [number, number])[]) =>
  pairs.map(([start, end]) => ({ start, end }));

test.each([
  { header: 'bytes=0-0', read: ranges([0, 1]) },
  { header: 'bytes=0-9999', read: ranges([0, SIZE]) },
  { header: 'bytes=9999-', read: ranges([9999, SIZE]) },
  { header: 'bytes=9000-99999', read: ranges([9000, SIZE]) },
  { header: 'bytes=-1', read: ranges([9999, SIZE]) },
  { header: 'bytes=-10000', read: ranges([0, SIZE]) },
  { header: 'bytes=-99999', read: ranges([0, SIZE]) },
  { header: 'BYTES=1-2', read: ranges([1, 3]) },
  { header: 'bytes= 1-2 ', read: ranges([1, 3]) },
  { header: 'bytes=,1-2,,', read: ranges([1, 3]) },
  { header: `bytes=1-${'9'.repeat(400)}`, read: ranges([1, SIZE]) },
])('§14.1.2: "$header" is one range', ({ header, read }) => {
  expect(parseRanges(header, SIZE)).toEqual(read);
});

test.each([
  { when: 'in their order', header: 'bytes=0-9,1000-1009', read: ranges([0, 10], [1000, 1010]) },
  { when: 'as asked for', header: 'bytes=1000-1009,0-9', read: ranges([1000, 1010], [0, 10]) },
  { when: 'with spaces', header: 'bytes=0-9 ,\t1000-1009', read: ranges([0, 10], [1000, 1010]) },
  { when: 'with a suffix', header: 'bytes=0-0,-1', read: ranges([0, 1], [9999, SIZE]) },
  { when: 'those beyond are left out', header: 'bytes=0-0,20000-', read: ranges([0, 1]) },
  { when: 'overlaps are one', header: 'bytes=0-99,50-149', read: ranges([0, 150]) },
  { when: 'what touches is one', header: 'bytes=0-99,100-199', read: ranges([0, 200]) },
  { when: 'a small gap is sent', header: 'bytes=0-99,200-299', read: ranges([0, 300]) },
  {
    when: 'a larger one is not',
    header: 'bytes=0-99,229-299',
    read: ranges([0, 100], [229, 300]),
  },
  {
    when: 'one that joins two comes last',
    header: 'bytes=5000-5001,0-9,1000-1009,0-1009',
    read: ranges([5000, 5002], [0, 1010]),
  },
  { when: 'the same comes twice', header: 'bytes=1-2,1-2,1-2', read: ranges([1, 3]) },
])('§15.3.7.2, several: $when', ({ header, read }) => {
  expect(parseRanges(header, SIZE)).toEqual(read);
});

test.each([
  'bytes=10000-',
  'bytes=10000-20000',
  'bytes=-0',
  'bytes=10000-,-0',
  `bytes=${'9'.repeat(400)}-`,
])('§15.5.17: "%s" is beyond the file', (header) => {
  expect(parseRanges(header, SIZE)).toBe('unsatisfiable');
});

test.each([
  { when: 'there is no header', header: undefined },
  { when: 'it names nothing', header: 'bytes=' },
  { when: 'it names nothing, several times', header: 'bytes=,,' },
  { when: 'the unit is unknown', header: 'lines=0-1' },
  { when: 'there is no unit', header: '0-1' },
  { when: 'a range has no ends', header: 'bytes=-' },
  { when: 'a range runs backwards', header: 'bytes=5-4' },
  { when: 'one of them does', header: 'bytes=0-1,5-4' },
  { when: 'it is no number', header: 'bytes=0x0-1' },
  { when: 'it is negative', header: 'bytes=--1' },
  { when: 'there is a space within', header: 'bytes=0 -1' },
  { when: 'the space is before the equals sign', header: 'bytes =0-1' },
  { when: 'digits are of another script', header: 'bytes=\u0661-\u0662' },
])('§14.2: the whole file, for $when', ({ header }) => {
  expect(parseRanges(header, SIZE)).toBeUndefined();
});

test('§17.15: too many ranges, or more bytes than the file, are the whole file', () => {
  const spread = (count: number, size: number) =>
    `bytes=${Array.from({ length: count }, (_, index) => `${index * size}-${index * size}`).join()}`;
  expect(parseRanges(spread(RANGES_MAX, 500), SIZE)).toHaveLength(RANGES_MAX);
  expect(parseRanges(spread(RANGES_MAX + 1, 500), SIZE)).toBeUndefined();
  expect(parseRanges('bytes=0-4900,5100-9999', SIZE)).toBeUndefined();
  // A thousand of the same, and a header as long as can be.
  expect(parseRanges(`bytes=${'0-,'.repeat(1000)}`, SIZE)).toBeUndefined();
  expect(parseRanges(`bytes=${','.repeat(100_000)}1-2`, SIZE)).toBeUndefined();
});

test.each([
  { header: 'bytes=0-', read: 'unsatisfiable' },
  { header: 'bytes=-0', read: 'unsatisfiable' },
  { header: 'bytes=-1', read: undefined },
])('of an empty file, "$header" is $read', ({ header, read }) => {
  expect(parseRanges(header, 0)).toBe(read);
});

test('whatever is asked for, no byte is sent twice, and each that was asked for is', () => {
  const ends = [0, 1, 128, 129, 300, 999];
  for (const [one, first] of ends.entries())
    for (const last of ends.slice(one))
      for (const [two, other] of ends.entries())
        for (const end of ends.slice(two)) {
          const read = parseRanges(`bytes=${first}-${last},${other}-${end},-1`, 1000);
          if (read === undefined) continue;
          const sent = (read as readonly { start: number; end: number }[]).flatMap((each) =>
            Array.from({ length: each.end - each.start }, (_, index) => each.start + index),
          );
          expect(new Set(sent).size).toBe(sent.length);
          expect(new Set(sent)).toContain(first);
          expect(new Set(sent)).toContain(end);
          expect(new Set(sent)).toContain(999);
        }
});
