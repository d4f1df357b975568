import { expect, test } from 'vitest';
import {
  type Mark,
  planCompaction,
  REVISIONS_KEPT_MAX,
  REVISIONS_KEPT_MS,
} from './housekeeping.ts';

const at = (atMs: number, revision: bigint): Mark => ({ atMs, revision });
const DAY = REVISIONS_KEPT_MS;

test.each([
  { when: 'nothing was seen yet', marks: [], revision: 0n },
  { when: 'all is younger than a day', marks: [at(0, 10n), at(DAY - 1, 20n)], revision: 0n },
  { when: 'one is a day old to the millisecond', marks: [at(0, 10n), at(DAY, 20n)], revision: 10n },
  { when: 'two are', marks: [at(0, 10n), at(1, 15n), at(DAY + 1, 20n)], revision: 15n },
  { when: 'the store is busy', marks: [at(0, 5n), at(1, REVISIONS_KEPT_MAX + 7n)], revision: 7n },
  { when: 'the store is exactly full', marks: [at(0, REVISIONS_KEPT_MAX)], revision: 0n },
])('compaction when $when', ({ marks, revision }) => {
  expect(planCompaction(marks)).toBe(revision);
});
