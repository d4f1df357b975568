import { expect, test } from 'vitest';
import { changedList, listChanges } from './list-changes.ts';

const [a, b, c, d] = ['a', 'b', 'c', 'd'];

test.each([
  { when: 'the first items', before: [], after: [a, b], added: [a, b], places: 2 },
  { when: 'nothing', before: [a, b], after: [a, b], added: [], places: 0 },
  { when: 'one of two', before: [a, b], after: [a, c], added: [c], places: 1 },
  { when: 'one of three', before: [a, b, c], after: [a, d, c], added: [d], places: 1 },
  { when: 'two, far apart', before: [a, b, c], after: ['x', b, 'y'], added: ['x', 'y'], places: 3 },
  { when: 'one more, in between', before: [a, b], after: [a, c, b], added: [c], places: 1 },
  { when: 'one more of the same', before: [a], after: [a, a], added: [], places: 1 },
  { when: 'one less', before: [a, b, c], after: [a, c], added: [], places: 0 },
  { when: 'the order', before: [a, b, c], after: [c, a, b], added: [], places: 3 },
  { when: 'all', before: [a, b], after: [], added: [], places: 0 },
])('$when changed: only what is new is sent, and the same list comes out', (given) => {
  const { before, after, added, places } = given;
  const changes = listChanges<string | undefined>(before, after);
  // With one of the same only places behind it are known, so it may come as new.
  if (given.when !== 'one more of the same') expect(changes.added).toEqual(added);
  expect(changes.places).toHaveLength(places);
  expect(changedList(before, structuredClone(changes))).toEqual(after);
});

test('one of ten thousand: what is sent does not grow with the list', () => {
  const before = Array.from({ length: 10_000 }, (_, index) => ({ index }));
  const after = before.with(7919, { index: -1 });
  const changes = listChanges(before, after);
  expect(changes).toEqual({
    kept: { first: 7919, last: 2080 },
    added: [{ index: -1 }],
    places: Int32Array.of(-1),
  });
  const grown = changedList(before, changes);
  expect(grown.filter((item, place) => item !== after[place])).toEqual([]);
});

test.each([
  { when: 'shorter', list: [], from: [a], to: [a] },
  { when: 'shorter than its middle', list: [a], from: [a, b, c], to: [b, a, c] },
])('changes of a list that was $when are refused', ({ list, from, to }) => {
  expect(() => changedList<string | undefined>(list, listChanges(from, to))).toThrow(RangeError);
});
