import { expect, test } from 'vitest';
import { TRAFFIC_COUNTS_MAX } from '../../runtime/site-traffic.ts';
import { countAnswer, EdgeCounters, TrafficSums } from './traffic.ts';

const RELEASE = `sha256-${'1'.repeat(64)}` as const;

test('each answer is counted once, for its site and release, and taken once', () => {
  const counters = new EdgeCounters();
  const counter = counters.counterOf('a', RELEASE);
  for (const status of [200, 304, 404, 499, 500, 503]) countAnswer(counter, status);
  countAnswer(counters.counterOf('b', undefined), 503);
  countAnswer(undefined, 200);
  expect(counters.take()).toEqual([
    { uid: 'a', release: RELEASE, requests: 6, serverErrors: 2 },
    { uid: 'b', release: '', requests: 1, serverErrors: 1 },
  ]);
  expect(counters.take()).toEqual([]);
  countAnswer(counter, 200);
  expect(counters.counterOf('a', RELEASE)).toBe(counter);
  expect(counters.take()).toEqual([{ uid: 'a', release: RELEASE, requests: 1, serverErrors: 0 }]);
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
    ...{ uid, release: RELEASE, requests, serverErrors: 1 },
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
