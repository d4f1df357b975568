import { beforeEach, expect, test } from 'vitest';
import { LogQuestion, type LogReply } from '../../proto/gen/b8s/v1/logs.ts';
import { type VirtualClock, virtualClock } from '../../runtime/test-clock.ts';
import type { LogNews, LogRequest, LogSource } from '../logs/access-logs.ts';
import {
  LOG_STREAMS_MAX,
  LogStreams,
  NEWS_LINES_MAX,
  NEWS_MS,
  REPLY_LENGTH_MAX,
  WAITING_LINES_MAX,
} from './log-streams.ts';

let clock: VirtualClock;
let replies: LogReply[];
let asked: LogRequest[];
let old: readonly string[];
let followers: Set<(news: LogNews) => void>;
let session: AbortController;
let streams: LogStreams;
let room: Promise<void>;

beforeEach(() => {
  clock = virtualClock();
  [replies, asked, old, followers] = [[], [], [], new Set()];
  session = new AbortController();
  room = Promise.resolve();
  const source: LogSource = {
    open: async (request, onNews) => {
      asked.push(request);
      if (request.uid === 'gone') return { kind: 'refused', error: 'it is gone' };
      if (request.uid === 'rotten') throw new Error('read logs: input/output error');
      if (onNews !== undefined) followers.add(onNews);
      const close = (): void => {
        if (onNews !== undefined) followers.delete(onNews);
      };
      return { kind: 'opened', lines: old, close };
    },
  };
  streams = new LogStreams({
    ...{ source, clock, signal: session.signal, ready: () => room },
    send: (reply) => replies.push(reply),
  });
});

function ask(given: Partial<LogQuestion>): void {
  streams.open(LogQuestion.fromPartial({ id: 1n, siteUid: 'u1', linesMax: 10, ...given }));
}

function come(...lines: readonly string[]): void {
  for (const onNews of followers) onNews({ lines, dropped: 0 });
}

const told = (): readonly string[] => replies.flatMap(({ lines }) => lines);
const dropped = (): number => replies.reduce((sum, each) => sum + Number(each.dropped), 0);

test('what there is, is told, and that it was all', async () => {
  old = ['one', 'two'];
  ask({ id: 7n, ageMsMax: 60_000n });
  await clock.advance(0);
  expect(asked).toEqual([{ uid: 'u1', linesMax: 10, ageMsMax: 60_000 }]);
  expect(replies).toEqual([
    { id: 7n, lines: ['one', 'two'], dropped: 0n, caughtUp: false, error: '' },
    { id: 7n, lines: [], dropped: 0n, caughtUp: true, error: '' },
  ]);
});

test('a long one is told in pieces that hold up nothing else', async () => {
  old = Array.from({ length: 1000 }, () => 'x'.repeat(1000));
  ask({});
  await clock.advance(0);
  expect(told()).toHaveLength(1000);
  const lengths = replies.map(({ lines }) => lines.join('').length);
  expect(Math.max(...lengths)).toBeLessThanOrEqual(REPLY_LENGTH_MAX);
});

test.each([
  ['gone', 'it is gone'],
  ['rotten', 'read logs: input/output error'],
])('a site that is %s is answered with why', async (siteUid, error) => {
  ask({ siteUid, follow: true });
  await clock.advance(0);
  expect(replies).toMatchObject([{ id: 1n, error }]);
});

test('lines that come are told until they are stopped, or the session ends', async () => {
  ask({ follow: true });
  ask({ id: 2n, follow: true });
  await clock.advance(0);
  come('one');
  await clock.advance(NEWS_MS);
  streams.stop(1n);
  await clock.advance(0);
  come('two');
  await clock.advance(NEWS_MS);
  expect(replies.filter(({ id }) => id === 1n).flatMap(({ lines }) => lines)).toEqual(['one']);
  expect(replies.filter(({ id }) => id === 2n).flatMap(({ lines }) => lines)).toEqual([
    'one',
    'two',
  ]);
  expect(followers.size).toBe(1);
  session.abort(new Error('over'));
  await clock.advance(NEWS_MS);
  expect(followers.size).toBe(0);
});

test('more than can be read are dropped, and how many is told', async () => {
  ask({ follow: true });
  await clock.advance(0);
  // Ten times as many as are told, for two seconds.
  for (let times = 0; times < 10; times += 1) {
    come(...Array.from({ length: 10 * NEWS_LINES_MAX }, (_, index) => `${times} ${index}`));
    await clock.advance(NEWS_MS);
  }
  await clock.advance(100 * NEWS_MS);
  expect(told().length + dropped()).toBe(100 * NEWS_LINES_MAX);
  expect(told().length).toBeLessThanOrEqual(10 * NEWS_LINES_MAX + WAITING_LINES_MAX);
});

test('while dom takes nothing, nothing is said and little is kept', async () => {
  ask({ follow: true });
  await clock.advance(0);
  const before = replies.length;
  const blocked = Promise.withResolvers<void>();
  room = blocked.promise;
  for (let times = 0; times < 10; times += 1) {
    come(...Array.from({ length: 1000 }, () => 'x'));
    await clock.advance(NEWS_MS);
  }
  expect(replies).toHaveLength(before);
  room = Promise.resolve();
  blocked.resolve();
  await clock.advance(100 * NEWS_MS);
  expect(told().length + dropped()).toBe(10_000);
  expect(told().length).toBeLessThanOrEqual(WAITING_LINES_MAX + NEWS_LINES_MAX);
});

test('so many may read at once, and one more may when one has ended', async () => {
  for (let id = 1n; id <= LOG_STREAMS_MAX; id += 1n) ask({ id, follow: true });
  ask({ id: 99n, follow: true });
  await clock.advance(0);
  const [refused] = replies.filter(({ id }) => id === 99n);
  expect(refused?.error).toBe('16 readers have its access logs open');
  streams.stop(1n);
  await clock.advance(NEWS_MS);
  ask({ id: 100n });
  await clock.advance(0);
  expect(replies.at(-1)).toMatchObject({ id: 100n, caughtUp: true });
});
