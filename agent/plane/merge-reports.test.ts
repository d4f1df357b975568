import { expect, test } from 'vitest';
import { mergeReports } from './merge-reports.ts';
import { NOTHING_APPLIED } from './plane.ts';
import { testSnapshot } from './plane-fixture.ts';

const edge = (...challenges: readonly string[]) => ({ ...NOTHING_APPLIED, challenges });

test.each([
  { when: 'all show them', edges: [edge('t1', 't2'), edge('t2', 't1')], shown: ['t1', 't2'] },
  { when: 'one is behind', edges: [edge('t1', 't2'), edge('t2')], shown: ['t2'] },
  { when: 'one shows nothing yet', edges: [edge('t1'), edge()], shown: [] },
  { when: 'there is no edge', edges: [], shown: [] },
])('a CA may come to any worker: proofs count when $when', ({ edges, shown }) => {
  expect(mergeReports(testSnapshot(1), edges, []).challenges).toEqual(shown);
});
