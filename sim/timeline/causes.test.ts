import { describe, expect, test } from 'vitest';
import type { TraceLine } from '../engine/trace.ts';
import { causalFuture, causalPast, causeGraph, knowledgeAt, nearestCauses } from './causes.ts';

/** One line for each: host, then the numbers of its causes; `!` before the host: an answer. */
const STORY = [
  'user', // 0
  'dom 0', // 1
  'store 1', // 2
  'london', // 3
  'dom', // 4
  'london 4', // 5
  '!london', // 6
  'london', // 7
  'sydney 6', // 8
];

describe('what may have had a part in a line', () => {
  test.each([
    { number: 0, past: [], future: [1, 2, 4, 5, 6, 7, 8] },
    { number: 2, past: [0, 1], future: [] },
    { number: 3, past: [], future: [5, 6, 7, 8] },
    { number: 5, past: [0, 1, 3, 4], future: [6, 7, 8] },
    { number: 6, past: [0, 1, 3, 4, 5], future: [8] },
    { number: 7, past: [0, 1, 3, 4, 5], future: [] },
  ])('of line $number', ({ number, past, future }) => {
    expect(causalPast(lines(STORY), number)).toEqual(past);
    expect(causalFuture(lines(STORY), number)).toEqual(future);
  });
});

test('what a host could know of the others', () => {
  const story = lines(STORY);
  const known = knowledgeAt(story, causeGraph(story), 7);
  expect([...known]).toEqual([
    ['dom', 4],
    ['user', 0],
  ]);
});

describe('the nearest causes', () => {
  const isRelated = (): boolean => true;

  test('speak of the same', () => {
    const story = lines(['a', 'b', 'c 0 1']);
    const options = { max: 1, isNoise: () => false };
    for (const near of [0, 1])
      expect(
        nearestCauses(story, 2, { ...options, isRelated: (number) => number === near }),
      ).toEqual([near]);
  });

  test('are the newest of those that are few steps away', () => {
    expect(nearestCauses(lines(STORY), 7, { max: 2, isNoise: () => false, isRelated })).toEqual([
      5, 4,
    ]);
  });

  test('a message explains more than what the host did before', () => {
    const story = lines(['a', 'a', 'b', 'b', 'a 3']);
    expect(nearestCauses(story, 4, { max: 1, isNoise: () => false, isRelated })).toEqual([3]);
  });

  test('are found behind noise, however long', () => {
    const story = lines(['dom', 'london 0', ...Array.from({ length: 500 }, () => 'london')]);
    const isNoise = (number: number): boolean => number > 1 && number < 501;
    expect(nearestCauses(story, 501, { max: 9, isNoise, isRelated })).toEqual([1, 0]);
  });
});

function lines(story: readonly string[]): readonly TraceLine[] {
  return story.map((words, number) => {
    const [name = '', ...causes] = words.split(' ');
    return {
      ...{ atMs: number, tick: 0, host: name.replace('!', ''), what: '' },
      ...{ kind: name.startsWith('!') ? 'serves' : 'decides', causes: causes.map(Number) },
    };
  });
}
