import { beforeEach, expect, test } from 'vitest';
import { LATE_MS, nothingAnswered, type TrafficCount } from './site-traffic.ts';
import {
  HALF_WINDOW_MS,
  PAIRS_MAX,
  quantileMs,
  SITES_MAX,
  TrafficWindow,
} from './traffic-window.ts';

let window: TrafficWindow;

beforeEach(() => {
  window = new TrafficWindow(0);
});

function count(uid: string, more: Partial<TrafficCount>): TrafficCount {
  return { ...nothingAnswered({ uid, release: '' }), ...more };
}

test('rates are of all nodes, of one node, and by how answers ended', () => {
  const classes = { redirects: 20, clientErrors: 10, serverErrors: 5 };
  window.heard('a', [count('blog', { requests: 100, bytes: 5000, ...classes })], 10_000);
  window.heard('b', [count('blog', { requests: 50 }), count('shop', { requests: 10 })], 20_000);
  const [blog, shop] = window.sites(25_000);
  expect(blog).toMatchObject({
    ...{ uid: 'blog', nodes: 2, requests: 6, succeeded: 4.6, redirects: 0.8 },
    ...{ clientErrors: 0.4, serverErrors: 0.2, bytes: 200, p50Ms: 1, p99Ms: 1 },
  });
  expect(shop).toMatchObject({ uid: 'shop', nodes: 1, requests: 0.4 });
  expect(window.sites(25_000, 'b').map(({ uid, requests }) => [uid, requests])).toEqual([
    ['blog', 2],
    ['shop', 0.4],
  ]);
  expect(window.sites(25_000, 'c')).toEqual([]);
  expect(window.nodes(25_000).map(({ node, requests }) => [node, requests])).toEqual([
    ['a', 4],
    ['b', 2.4],
  ]);
});

test('what was answered is seen for a half of the window to a whole one, then it is gone', () => {
  const at = (ms: number): number | undefined => window.sites(ms)[0]?.requests;
  window.heard('a', [count('blog', { requests: 60 })], HALF_WINDOW_MS);
  expect(at(HALF_WINDOW_MS)).toBe(2);
  expect(at(2 * HALF_WINDOW_MS - 1)).toBeCloseTo(1, 3);
  expect(at(2 * HALF_WINDOW_MS)).toBe(2);
  expect(at(3 * HALF_WINDOW_MS - 1)).toBeCloseTo(1, 3);
  expect(at(3 * HALF_WINDOW_MS)).toBeUndefined();
});

test('who is looked at all the time goes as well', () => {
  window.heard('a', [count('blog', { requests: 1 })], 0);
  for (let ms = 0; ms <= 3 * HALF_WINDOW_MS; ms += 1000) window.sites(ms);
  expect(window.sites(3 * HALF_WINDOW_MS)).toEqual([]);
  expect(window.sites(3 * HALF_WINDOW_MS, 'a')).toEqual([]);
});

test.each([
  ['nothing', 0, [], 0, 0],
  ['all at once', 100, [], 1, 1],
  ['some from disk', 100, [0, 0, 3], 1, 5],
  ['half from disk', 100, [0, 0, 0, 60], 10, 10],
  ['one in a hundred very slowly', 100, [0, ...LATE_MS.slice(1).map(() => 0), 1], 1, 1],
  ['two in a hundred very slowly', 100, [0, ...LATE_MS.slice(1).map(() => 0), 2], 1, Infinity],
  ['more late than counted yet', 1, [0, 5], 2.5, 2.5],
])('with %s, how long answers take is told by bounds', (_, requests, late, p50, p99) => {
  const all = count('blog', { requests, late });
  expect([quantileMs(all, 0.5), quantileMs(all, 0.99)]).toEqual([p50, p99]);
});

test('what a node says of itself: memory, connections, and its part of a processor', () => {
  const load = (cpuS: number) => ({ rssBytes: 7, cpuS, connections: 3 });
  window.loaded('a', load(100), 0);
  expect(window.nodes(0)).toMatchObject([{ node: 'a', load: { rssBytes: 7 }, cpu: undefined }]);
  for (let ms = 1500; ms <= 120_000; ms += 1500) window.loaded('a', load(100 + ms / 4000), ms);
  expect(window.nodes(120_000)[0]?.cpu).toBeCloseTo(0.25, 5);
  // It starts anew.
  window.loaded('a', load(1), 121_500);
  expect(window.nodes(121_500)[0]?.cpu).toBeUndefined();
  window.loaded('a', load(2), 123_500);
  expect(window.nodes(123_500)[0]?.cpu).toBeCloseTo(0.5, 5);
  expect(window.nodes(200_000)).toEqual([]);
});

test('however many sites and nodes there are, it is bounded, and sums of sites are right', () => {
  for (let node = 0; node < 25; node += 1) {
    const sites = Array.from({ length: 5000 }, (_, n) => count(`s${n}`, { requests: 1 }));
    window.heard(`n${node}`, sites, 1000);
  }
  expect(window.sites(1000)[0]).toMatchObject({ requests: 25, nodes: PAIRS_MAX / 5000 });
  expect(window.sites(1000, 'n24')).toEqual([]);
  window.forget('n0');
  window.heard('n24', [count('s0', { requests: 1 })], 1000);
  expect(window.sites(1000, 'n24')).toHaveLength(1);
  window.heard(
    'n1',
    Array.from({ length: 6000 }, (_, n) => count(`t${n}`, {})),
    1000,
  );
  expect(window.sites(1000)).toHaveLength(SITES_MAX);
});
