import { afterEach, beforeEach, expect, test } from 'vitest';
import { type MemoryDisk, memoryDisk } from '../../runtime/disk/memory-disk.ts';
import { countedRandom } from '../../runtime/fake-random.fixture.ts';
import { type Log, silentLog } from '../../runtime/log.ts';
import { type VirtualClock, virtualClock } from '../../runtime/test-clock.ts';
import { AccessLogs, type LoggingSite, type LogNews } from './access-logs.ts';
import { letFail } from './failing-disk.fixture.ts';

const BLOG: LoggingSite = { uid: 'u1', namespace: 'default', name: 'blog', accessLog: 'on' };

let disk: MemoryDisk;
let clock: VirtualClock;
let warnings: string[];
let logs: AccessLogs;
let ending: AbortController;
let running: Promise<void>;

beforeEach(() => {
  disk = memoryDisk();
  clock = virtualClock(Date.parse('2027-01-15T12:00:00Z'));
  warnings = [];
  const log: Log = { ...silentLog, warn: (_, message) => void warnings.push(message) };
  logs = new AccessLogs({ disk, clock, random: countedRandom(1), log });
  logs.want([BLOG]);
  ending = new AbortController();
  running = logs.run(ending.signal);
});

afterEach(async () => {
  ending.abort();
  await running;
});

const line = (n: number): string =>
  `{"time":"${new Date(clock.nowMs() - 60_000 + n).toISOString()}","n":${n}}`;
const take = (from: number, to: number, dropped = 0) =>
  logs.take([
    {
      uid: 'u1',
      text: Array.from({ length: to - from }, (_, index) => `${line(from + index)}\n`).join(''),
      dropped,
    },
  ]);
const ASKED = { uid: 'u1', linesMax: 100, ageMsMax: 0 };

async function opened(
  asked: Partial<typeof ASKED> = {},
  onNews?: (news: LogNews) => void,
): Promise<{ readonly lines: readonly string[]; readonly close: () => void }> {
  const found = await logs.open({ ...ASKED, ...asked }, onNews);
  if (found.kind === 'refused') throw new Error(found.error);
  return found;
}

test('what was written is read, the newest last', async () => {
  await take(0, 3);
  expect((await opened()).lines).toEqual([line(0), line(1), line(2)]);
  expect((await opened({ linesMax: 1 })).lines).toEqual([line(2)]);
  expect((await opened({ ageMsMax: 59_999 })).lines).toEqual([line(1), line(2)]);
});

test('who follows gets each line once, however lines come while it begins', async () => {
  const news: string[] = [];
  const writing = [take(0, 5), take(5, 9)];
  const opening = opened({}, (each) => news.push(...each.lines));
  writing.push(take(9, 14));
  const { lines, close } = await opening;
  await Promise.all(writing);
  await take(14, 15);
  const all = Array.from({ length: 15 }, (_, n) => line(n));
  expect([...lines, ...news]).toEqual(all);
  expect(lines).toHaveLength(9);
  close();
  await take(15, 16);
  expect(news).toHaveLength(6);
});

test('what is not there is refused in words', async () => {
  expect(await logs.open({ ...ASKED, uid: 'u2' })).toEqual({
    ...{ kind: 'refused', error: 'this node does not serve the site' },
  });
  logs.want([{ ...BLOG, accessLog: 'off' }]);
  expect(await logs.open(ASKED)).toMatchObject({ kind: 'refused' });
});

test('when a site goes, so do its lines; when its log is turned off, they stay', async () => {
  await take(0, 3);
  logs.want([{ ...BLOG, accessLog: 'off' }]);
  await take(3, 4);
  logs.want([BLOG]);
  expect((await opened()).lines).toHaveLength(4);
  logs.want([]);
  // What a worker noted before it heard of that.
  await take(4, 5);
  await clock.advance(0);
  expect([...disk.files().keys()]).toEqual([]);
});

test('a full disk costs lines, which are counted and complained about now and then', async () => {
  const news: LogNews[] = [];
  await take(0, 1);
  await opened({}, (each) => news.push(each));
  disk.limit(disk.usedBytes());
  for (let second = 0; second < 120; second += 1) {
    await take(1, 3, 1);
    await clock.advance(1000);
  }
  expect(logs.dropped).toBe(360);
  expect(warnings).toHaveLength(2);
  // Who reads along sees them all the same.
  expect(news).toHaveLength(120);
  expect(news[0]).toMatchObject({ dropped: 1 });
});

/** From now on nothing can be removed, until it is mended. */
function refuseToRemove(): { readonly tries: () => number; readonly mend: () => void } {
  let tries = 0;
  let isBroken = true;
  letFail(disk, ({ verb }) => {
    if (verb !== 'remove') return 'none';
    tries += 1;
    return isBroken ? 'early' : 'none';
  });
  return {
    tries: () => tries,
    mend: () => {
      isBroken = false;
    },
  };
}

test('logs of a site that is gone are removed once the disk lets them, though no line comes', async () => {
  await take(0, 3);
  const refused = refuseToRemove();
  logs.want([]);
  await clock.advance(3_600_000);
  expect(disk.files().size).toBe(1);
  // A minute apart at most, and half a minute at least.
  expect(refused.tries()).toBeGreaterThan(60);
  expect(refused.tries()).toBeLessThan(140);
  refused.mend();
  await clock.advance(60_000);
  expect([...disk.files().keys()]).toEqual([]);
  const tries = refused.tries();
  await clock.advance(3_600_000);
  expect(refused.tries()).toBe(tries);
});

test('once it has ended, nothing more is tried', async () => {
  await take(0, 3);
  const refused = refuseToRemove();
  logs.want([]);
  await clock.advance(10_000);
  const tries = refused.tries();
  expect(tries).toBeGreaterThan(1);
  ending.abort();
  await running;
  await clock.advance(3_600_000);
  expect(refused.tries()).toBe(tries);
});

test('a disk that takes no lines does not hide that logs could not be removed', async () => {
  const shop: LoggingSite = { ...BLOG, uid: 'u2', name: 'shop' };
  logs.want([BLOG, shop]);
  await take(0, 1);
  disk.limit(disk.usedBytes());
  await take(1, 2);
  refuseToRemove();
  logs.want([shop]);
  await clock.advance(1000);
  expect(warnings).toEqual([
    'access logs could not be written',
    'access logs of sites that are gone could not be removed',
  ]);
});
