import { expect, test } from 'vitest';
import {
  LATE_MS,
  nothingAnswered,
  TRAFFIC_COUNTS_MAX,
} from '../../runtime/traffic/site-traffic.ts';
import { countAnswer, countBytes, countLate, EdgeCounters, TrafficSums } from './traffic.ts';

const RELEASE = `sha256-${'1'.repeat(64)}` as const;

test('each answer is counted once, for its site and release, and taken once', () => {
  const counters = new EdgeCounters();
  const counter = counters.counterOf('a', RELEASE);
  for (const status of [200, 304, 404, 499, 500, 503]) countAnswer(counter, status);
  countAnswer(counters.counterOf('b', undefined), 503);
  countAnswer(undefined, 200);
  expect(counters.take()).toEqual([
    {
      ...nothingAnswered({ uid: 'a', release: RELEASE }),
      ...{ requests: 6, redirects: 1, clientErrors: 2, serverErrors: 2 },
    },
    { ...nothingAnswered({ uid: 'b', release: '' }), requests: 1, serverErrors: 1 },
  ]);
  expect(counters.take()).toEqual([]);
  countAnswer(counter, 200);
  expect(counters.counterOf('a', RELEASE)).toBe(counter);
  expect(counters.take()).toEqual([
    { ...nothingAnswered({ uid: 'a', release: RELEASE }), requests: 1 },
  ]);
});

test('of a site that is not answered any more the last count is taken, then it is forgotten', () => {
  const counters = new EdgeCounters();
  const counter = counters.counterOf('a', RELEASE);
  countAnswer(counter, 200);
  counters.keep(new Set(['b']));
  expect(counters.take()).toHaveLength(1);
  counters.keep(new Set(['b']));
  expect(counters.counterOf('a', RELEASE)).not.toBe(counter);
});

test('counts of several workers are added up, and so many are kept', () => {
  const sums = new TrafficSums();
  const count = (uid: string, requests: number) => ({
    ...nothingAnswered({ uid, release: RELEASE }),
    ...{ requests, serverErrors: 1 },
  });
  sums.add([count('a', 2), count('b', 1)]);
  sums.add([count('a', 3)]);
  expect(sums.all().find(({ uid }) => uid === 'a')).toMatchObject({ requests: 5, serverErrors: 2 });
  expect(sums.take()).toHaveLength(2);
  expect(sums.all()).toEqual([]);
  for (let site = 0; site <= TRAFFIC_COUNTS_MAX; site += 1) sums.add([count(`${site}`, 1)]);
  expect(sums.all()).toHaveLength(TRAFFIC_COUNTS_MAX);
  expect(sums.all()[0]?.uid).toBe('1');
});

test('answers that had to wait are counted by how long, bounds included; bytes when they are sent', () => {
  const counters = new EdgeCounters();
  const counter = counters.counterOf('a', RELEASE);
  for (const ms of [0, 1, 1.5, 10_000, 10_001, 99_999]) countLate(counter, ms);
  const [first] = counters.take();
  expect(first).toBeUndefined();
  countAnswer(counter, 200);
  const late = Array.from({ length: LATE_MS.length + 1 }, () => 0);
  Object.assign(late, { 0: 2, 1: 1, [LATE_MS.length - 1]: 1, [LATE_MS.length]: 2 });
  expect(counters.take()[0]).toMatchObject({ requests: 1, late, lateMs: 120_002.5 });
  // A download that was begun before.
  countBytes(counter, 512);
  expect(counters.take()).toMatchObject([{ requests: 0, bytes: 512, late: [] }]);
});

test('how long answers took is added up, however many bounds each worker got to', () => {
  const sums = new TrafficSums();
  const count = (late: readonly number[]) => ({
    ...nothingAnswered({ uid: 'a', release: RELEASE }),
    ...{ requests: 9, bytes: 10, late, lateMs: 5 },
  });
  sums.add([count([1, 2])]);
  sums.add([count([])]);
  sums.add([count([1, 1, 1])]);
  expect(sums.all()).toEqual([{ ...count([2, 3, 1]), requests: 27, bytes: 30, lateMs: 15 }]);
});
