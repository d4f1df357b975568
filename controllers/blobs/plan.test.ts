import { expect, test } from 'vitest';
import type { Digest } from '../../runtime/content/digest.ts';
import { digest } from '../test-scene.ts';
import { lookEveryMs, planPart } from './plan.ts';
import { UsedDigests } from './used-digests.ts';

const BLOB = digest('a') as Digest;
const GRACE_MS = 1_000;
const NOW_MS = 50_000;

test.each([
  { when: 'it is in use', used: true, sinceMs: NOW_MS - GRACE_MS, outcome: 'forgotten' },
  { when: 'it is seen without a name for the first time', outcome: NOW_MS },
  { when: 'its grace is not over', sinceMs: NOW_MS - GRACE_MS + 1, outcome: NOW_MS - GRACE_MS + 1 },
  { when: 'its grace is over', sinceMs: NOW_MS - GRACE_MS, outcome: 'discarded' },
  { when: 'it is gone', found: [], sinceMs: NOW_MS - GRACE_MS, outcome: 'forgotten' },
])('a blob is $outcome when $when', ({ used = false, found = [BLOB], sinceMs, outcome }) => {
  const plan = planPart({
    ...{ found, isUsed: () => used, nowMs: NOW_MS, graceMs: GRACE_MS },
    unusedSinceMs: new Map(sinceMs === undefined ? [] : [[BLOB, sinceMs]]),
  });
  const left = plan.unusedSinceMs.get(BLOB) ?? 'forgotten';
  expect(plan.discard.length > 0 ? 'discarded' : left).toBe(outcome);
});

test('without a grace it is still seen twice', () => {
  const facts = { found: [BLOB], isUsed: () => false, nowMs: NOW_MS, graceMs: 0 };
  const first = planPart({ ...facts, unusedSinceMs: new Map() });
  expect(first.discard).toEqual([]);
  expect(planPart({ ...facts, unusedSinceMs: first.unusedSinceMs }).discard).toEqual([BLOB]);
});

test.each([
  { grace: 'a day', graceMs: 86_400_000, everyMs: 3_600_000 },
  { grace: '4 s', graceMs: 4_000, everyMs: 1_000 },
])('with a grace of $grace all is looked through each $everyMs ms', ({ graceMs, everyMs }) => {
  expect(lookEveryMs(graceMs)).toBe(everyMs);
});

test('digests are told apart by their first 52 bits', () => {
  const used = new UsedDigests();
  used.add(BLOB);
  expect(used.has(BLOB)).toBe(true);
  const at = (place: number) => `${BLOB.slice(0, 7 + place)}b${BLOB.slice(8 + place)}` as Digest;
  expect(used.has(at(12))).toBe(false);
  // What is kept for that is kept in vain, and that is all.
  expect(used.has(at(13))).toBe(true);
});
