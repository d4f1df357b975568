import { expect, test } from 'vitest';
import { SiteTraffic } from '../../proto/gen/b8s/v1/agent.ts';
import { nothingAnswered } from '../../runtime/traffic/site-traffic.ts';
import { ToldTraffic } from './told-traffic.ts';

const count = (uid: string, requests: number) => ({
  ...nothingAnswered({ uid, release: '' }),
  ...{ requests, serverErrors: 1 },
});
const told = (uid: string, requests: bigint) =>
  SiteTraffic.fromPartial({ uid, requests, serverErrors: 1n });

test('a session begins with all that was counted, and goes on with what has changed', () => {
  const traffic = new ToldTraffic();
  expect(traffic.news([])).toBeUndefined();
  expect(traffic.news([count('a', 5), count('b', 1)])?.sites).toEqual([
    told('a', 5n),
    told('b', 1n),
  ]);
  expect(traffic.news([count('a', 5), count('b', 1)])).toBeUndefined();
  expect(traffic.news([count('a', 5), count('b', 2)])?.sites).toEqual([told('b', 2n)]);
  // A download that was begun before.
  const [more] = traffic.news([count('a', 5), { ...count('b', 2), bytes: 9 }])?.sites ?? [];
  expect(more).toEqual({ ...told('b', 2n), bytes: 9n });
  expect(new ToldTraffic().news([count('a', 5)])?.sites).toEqual([told('a', 5n)]);
});
