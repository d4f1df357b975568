import { expect, test } from 'vitest';
import type { Condition } from '../../api/object.ts';
import { replaceConditions, setCondition } from './conditions.ts';

const BEFORE_MS = 1_800_000_000_000;
const NOW_MS = BEFORE_MS + 1;

const ready: Condition = {
  type: 'Ready',
  status: 'True',
  reason: 'Served',
  message: 'served by 1/1 nodes',
  lastTransitionTime: new Date(BEFORE_MS).toISOString(),
  observedGeneration: 1,
};
const { lastTransitionTime: _, ...readyInput } = ready;

test.each([
  {
    when: 'the status is the same and the message is not: the time stays',
    input: { ...readyInput, message: 'served by 2/2 nodes' },
    atMs: BEFORE_MS,
  },
  {
    when: 'the status differs: the time moves',
    input: { ...readyInput, status: 'False' as const },
    atMs: NOW_MS,
  },
  { when: 'the type is new: it begins now', input: { ...readyInput, type: 'Other' }, atMs: NOW_MS },
])('setCondition when $when', ({ input, atMs }) => {
  const next = setCondition([ready], input, NOW_MS);
  expect(next.find(({ type }) => type === input.type)).toEqual({
    ...input,
    lastTransitionTime: new Date(atMs).toISOString(),
  });
});

test('setCondition keeps the order and puts a new type last', () => {
  const other = { ...ready, type: 'Other' };
  const types = (conditions: readonly Condition[]) => conditions.map(({ type }) => type);
  expect(types(setCondition([ready, other], readyInput, NOW_MS))).toEqual(['Ready', 'Other']);
  expect(types(setCondition([ready], { ...readyInput, type: 'New' }, NOW_MS))).toEqual([
    'Ready',
    'New',
  ]);
});

test('replaceConditions drops what is not named and keeps the times of what is', () => {
  const stale = { ...ready, type: 'Stale' };
  expect(replaceConditions([stale, ready], [readyInput], NOW_MS)).toEqual([ready]);
});
