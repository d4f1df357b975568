import { beforeEach, expect, test } from 'vitest';
import { countedRandom } from '../../../runtime/fake-random.fixture.ts';
import type { HttpRequest } from '../../../runtime/http.ts';
import { type VirtualClock, virtualClock } from '../../../runtime/test-clock.ts';
import type { EdgeAccessLog, EdgeSite } from '../snapshot.ts';
import {
  AccessRecorder,
  HAND_LENGTH,
  HAND_MS,
  lengthOf,
  type SiteLines,
  type SiteNotes,
  UNTAKEN_LENGTH_MAX,
} from './recorder.ts';

let clock: VirtualClock;
let handed: (readonly SiteLines[])[];
let recorder: AccessRecorder;

beforeEach(() => {
  clock = virtualClock(Date.parse('2027-01-15T12:00:00Z'));
  handed = [];
  recorder = new AccessRecorder('fra1', {
    ...{ clock, random: countedRandom(7), hand: (lines) => handed.push(lines) },
  });
});

function site(accessLog?: Partial<EdgeAccessLog>): EdgeSite {
  const plain = { canonicalHost: false, hideHtml: false, immutableAssets: false } as const;
  const all: EdgeAccessLog = { format: 'json', percent: 100, clientAddress: 'full' };
  const options: EdgeSite['options'] = {
    ...plain,
    trailingSlash: 'auto',
    securityHeaders: 'none',
    mimeTypes: new Map<string, string>(),
    ...(accessLog !== undefined && { accessLog: { ...all, ...accessLog } }),
  };
  return {
    ...{ uid: 'u1', namespace: 'default', name: 'blog', hosts: ['blog.test'], headers: [] },
    ...{ notFoundPage: '', singlePageApp: false, redirects: [], options },
  };
}

function notes(accessLog: Partial<EdgeAccessLog> = {}): SiteNotes {
  const found = recorder.notesOf(site(accessLog));
  if (found === undefined) throw new Error('nothing is noted of the site');
  return found;
}

const REQUEST: HttpRequest = {
  ...{ method: 'GET', path: '/a', host: 'blog.test', secure: true, protocol: 'HTTP/2.0' },
  ...{ address: '203.0.113.7', headers: { 'user-agent': 'curl', referer: 'https://x.test/' } },
};
const NOTED = { status: 200, bytes: 5, ending: 'whole', startMs: 0 } as const;

/** Lines that were handed over. */
function lines(): readonly string[] {
  return handed
    .flat()
    .flatMap(({ text }) => text.split('\n'))
    .filter((line) => line !== '');
}

test('a site without an access log costs nothing', () => {
  expect(recorder.notesOf(site())).toBeUndefined();
  const { options: _, ...older } = site();
  expect(recorder.notesOf(older)).toBeUndefined();
});

test('lines are handed over together, a moment later', async () => {
  const some = notes();
  await clock.advance(40);
  some.note(REQUEST, { ...NOTED, startMs: 38.5 });
  some.note({ ...REQUEST, method: 'HEAD' }, { ...NOTED, status: 304, bytes: 0 });
  await clock.advance(HAND_MS - 1);
  expect(handed).toEqual([]);
  await clock.advance(1);
  expect(handed).toHaveLength(1);
  expect(lines().map((line) => JSON.parse(line) as unknown)).toEqual([
    {
      ...{ time: '2027-01-15T12:00:00.040Z', node: 'fra1', site: 'default/blog', status: 200 },
      ...{ client: '203.0.113.7', host: 'blog.test', method: 'GET', path: '/a', bytes: 5 },
      ...{ protocol: 'HTTP/2.0', durationMs: 1.5, referer: 'https://x.test/', userAgent: 'curl' },
    },
    expect.objectContaining({ method: 'HEAD', status: 304, bytes: 0, durationMs: 40 }),
  ]);
  await clock.advance(10 * HAND_MS);
  expect(handed).toHaveLength(1);
});

test('of the requests so many are drawn, the same each time; errors of the server always are', async () => {
  const drawn = async (percent: number, status = 200): Promise<number> => {
    handed = [];
    const some = notes({ percent, format: 'combined' });
    for (let request = 0; request < 1000; request += 1) some.note(REQUEST, { ...NOTED, status });
    await clock.advance(HAND_MS);
    recorder.taken(lengthOf(handed.flat()));
    return lines().length;
  };
  expect(await drawn(0)).toBe(0);
  expect(await drawn(100)).toBe(1000);
  expect(await drawn(10)).toBe(95);
  expect(await drawn(0, 500)).toBe(1000);
  expect(await drawn(0, 499)).toBe(0);
});

test('when nobody writes lines down they are dropped and counted, and memory is bounded', async () => {
  const some = notes();
  const long = { ...REQUEST, path: `/${'x'.repeat(1500)}` };
  for (let request = 0; request < 5000; request += 1) some.note(long, NOTED);
  await clock.advance(HAND_MS);
  const length = lengthOf(handed.flat());
  expect(length).toBeLessThan(UNTAKEN_LENGTH_MAX + HAND_LENGTH);
  const dropped = handed.flat().reduce((sum, each) => sum + each.dropped, 0);
  expect(dropped + lines().length).toBe(5000);
  expect(dropped).toBeGreaterThan(1000);
  // Once they are written down, it goes on.
  handed = [];
  recorder.taken(length);
  some.note(REQUEST, NOTED);
  await clock.advance(HAND_MS);
  expect(handed.flat()).toMatchObject([{ uid: 'u1', dropped: 0 }]);
  expect(lines()).toHaveLength(1);
});

test('what waits when a worker ends is handed over', () => {
  notes().note(REQUEST, NOTED);
  recorder.flush();
  expect(lines()).toHaveLength(1);
  recorder.flush();
  expect(handed).toHaveLength(1);
});
