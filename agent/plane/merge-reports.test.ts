import { expect, test } from 'vitest';
import type { ZoneOutcome } from '../dns/zone/zone.ts';
import { reportMerger } from './merge-reports.ts';
import { NOTHING_APPLIED } from './plane.ts';
import { testSnapshot } from './plane-fixture.ts';

const edge = (...challenges: readonly string[]) => ({ ...NOTHING_APPLIED, challenges });

test.each([
  { when: 'all show them', edges: [edge('t1', 't2'), edge('t2', 't1')], shown: ['t1', 't2'] },
  { when: 'one is behind', edges: [edge('t1', 't2'), edge('t2')], shown: ['t2'] },
  { when: 'one shows nothing yet', edges: [edge('t1'), edge()], shown: [] },
  { when: 'there is no edge', edges: [], shown: [] },
])('a CA may come to any worker: proofs count when $when', ({ edges, shown }) => {
  expect(reportMerger()(testSnapshot(1), edges, []).challenges).toEqual(shown);
});

const zone = (uid: string, serial: number | undefined, error?: string): ZoneOutcome => ({
  ...{ uid, name: uid, serial, error },
});
const nameserver = (...zones: readonly ZoneOutcome[]) => ({ ...NOTHING_APPLIED, zones });

test.each([
  { when: 'one worker', workers: [[zone('a', 1)]], merged: [zone('a', 1)] },
  { when: 'all serve it', workers: [[zone('a', 1)], [zone('a', 1)]], merged: [zone('a', 1)] },
  {
    when: 'one is behind',
    workers: [[zone('a', 2)], [zone('a', 1)]],
    merged: [zone('a', undefined)],
  },
  { when: 'one has it not', workers: [[zone('a', 2)], []], merged: [zone('a', undefined)] },
  {
    when: 'one has them in another order',
    workers: [
      [zone('a', 1), zone('b', 1)],
      [zone('b', 1), zone('a', 2)],
    ],
    merged: [zone('a', undefined), zone('b', 1)],
  },
  {
    when: 'one could not take it',
    workers: [[zone('a', 1)], [zone('a', 1, 'malformed')]],
    merged: [zone('a', 1, 'malformed')],
  },
])('a zone is what every nameserver serves: $when', ({ workers, merged }) => {
  const reports = workers.map((zones) => nameserver(...zones));
  expect(reportMerger()(testSnapshot(1), [], reports).zones).toEqual(merged);
});

test('of many zones the one that some worker said something new of is merged again', () => {
  const merge = reportMerger();
  const zones = Array.from({ length: 1000 }, (_, index) => zone(`z${index}`, 1));
  const [one, other] = [zones, zones.map((each) => ({ ...each }))];
  const merged = (...lists: ZoneOutcome[][]): readonly ZoneOutcome[] =>
    merge(
      testSnapshot(1),
      [],
      lists.map((each) => nameserver(...each)),
    ).zones;
  const before = merged(one, other);
  const changed = zone('z500', 2);
  const between = merged(one.with(500, changed), other);
  const after = merged(one.with(500, changed), other.with(500, { ...changed }));
  const fresh = (next: readonly ZoneOutcome[], last: readonly ZoneOutcome[]) =>
    next.filter((each, place) => each !== last[place]);
  expect(fresh(between, before)).toEqual([zone('z500', undefined)]);
  expect(fresh(after, between)).toEqual([zone('z500', 2)]);
});
