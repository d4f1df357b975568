import { expect, test } from 'vitest';
import { sameJson } from './same-json.ts';

test.each([
  { one: { a: 1, b: [1] }, other: { b: [1], a: 1 }, same: true },
  { one: { a: 1, b: undefined }, other: { a: 1 }, same: true },
  { one: [1, 2], other: [2, 1], same: false },
  { one: { a: 1 }, other: { a: '1' }, same: false },
  { one: undefined, other: undefined, same: true },
  { one: undefined, other: null, same: false },
])('$one and $other: $same', ({ one, other, same }) => {
  expect(sameJson(JSON.stringify(one), JSON.stringify(other))).toBe(same);
});
