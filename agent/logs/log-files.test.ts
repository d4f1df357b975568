import { beforeEach, describe, expect, test } from 'vitest';
import { type MemoryDisk, memoryDisk } from '../../runtime/disk/memory-disk.ts';
import { type Change, type Fault, letFail } from './failing-disk.fixture.ts';
import { LogFiles, logPath } from './log-files.ts';

const BLOG = { uid: '0123456789ab', namespace: 'default', name: 'blog' };
const SHOP = { uid: 'ffffffffffff', namespace: 'team', name: 'shop' };
const LIMITS = { fileBytesMax: 1000, rotatedMax: 2, totalBytesMax: 1_000_000 };
const PATH = 'logs/access/default/blog.01234567.log';

let disk: MemoryDisk;
let files: LogFiles;

beforeEach(() => {
  disk = memoryDisk();
  files = new LogFiles(disk, LIMITS);
});

function line(second: number, more = ''): string {
  const time = new Date(Date.parse('2027-01-15T12:00:00Z') + second * 1000).toISOString();
  return `{"time":"${time}","n":${second}${more}}`;
}

async function write(from: number, to: number, owner = BLOG): Promise<void> {
  for (let second = from; second < to; second += 1) await files.append(owner, `${line(second)}\n`);
}

const numbers = (lines: readonly string[]): readonly number[] =>
  lines.map((each) => (JSON.parse(each) as { readonly n: number }).n);
const paths = (): readonly string[] => [...disk.files().keys()];
/** Lines of the first few files, each of 42 or 43 bytes. */
const PER_FILE = 23;
const ALL = { linesMax: 10_000, sinceMs: 0 };

test('lines of a site are in a file of its own, in order', async () => {
  await write(0, 3);
  await write(7, 8, SHOP);
  expect(paths()).toEqual([PATH, 'logs/access/team/shop.ffffffff.log']);
  expect(numbers(await files.last(BLOG, ALL))).toEqual([0, 1, 2]);
  expect(numbers(await files.last(SHOP, ALL))).toEqual([7]);
  expect(await files.last({ ...BLOG, uid: 'a new one of the name' }, ALL)).toEqual([]);
});

test('a file that is long enough makes way, and so many are kept', async () => {
  await write(0, 100);
  expect(paths()).toEqual([PATH, `${PATH}.1`, `${PATH}.2`]);
  for (const bytes of disk.files().values()) expect(bytes.length).toBeLessThanOrEqual(1000);
  const kept = numbers(await files.last(BLOG, ALL));
  expect(kept.at(-1)).toBe(99);
  expect(kept).toEqual(kept.map((_, index) => 100 - kept.length + index));
  expect(kept.length).toBeGreaterThan(40);
});

test.each([
  [5, [95, 96, 97, 98, 99]],
  [1, [99]],
  [0, []],
])('the newest %i lines, from as many files as it takes', async (linesMax, expected) => {
  await write(0, 100);
  expect(numbers(await files.last(BLOG, { ...ALL, linesMax }))).toEqual(expected);
  expect(await files.last(BLOG, { ...ALL, linesMax: 45 })).toHaveLength(45);
});

test('lines since a moment, that moment included', async () => {
  await write(0, 100);
  const sinceMs = Date.parse('2027-01-15T12:01:30Z');
  expect(numbers(await files.last(BLOG, { ...ALL, sinceMs }))).toEqual([
    90, 91, 92, 93, 94, 95, 96, 97, 98, 99,
  ]);
});

test('large files are read from their end', async () => {
  const large = new LogFiles(disk, {
    ...LIMITS,
    fileBytesMax: 10_000_000,
    totalBytesMax: 10_000_000,
  });
  const text = Array.from({ length: 50_000 }, (_, second) => `${line(second)}\n`).join('');
  await large.append(BLOG, text);
  expect(numbers(await large.last(BLOG, { ...ALL, linesMax: 3 }))).toEqual([
    49_997, 49_998, 49_999,
  ]);
  expect(await large.last(BLOG, { ...ALL, linesMax: 9000 })).toHaveLength(9000);
});

test('all sites together take so much room; the one with most gives its oldest', async () => {
  files = new LogFiles(disk, { ...LIMITS, totalBytesMax: 2500 });
  await write(0, 10, SHOP);
  await write(0, 100);
  const bytes = [...disk.files().values()].reduce((sum, each) => sum + each.length, 0);
  expect(bytes).toBeLessThanOrEqual(2500);
  expect(numbers(await files.last(SHOP, ALL))).toHaveLength(10);
  expect(numbers(await files.last(BLOG, ALL)).at(-1)).toBe(99);
});

test('what was there before a start counts, and is rotated and removed like all else', async () => {
  await write(0, 100);
  await write(0, 1, SHOP);
  files = new LogFiles(disk, LIMITS);
  await write(100, 130);
  expect(paths().filter((path) => path.startsWith(PATH))).toHaveLength(3);
  await files.keepOnly([SHOP]);
  expect(paths()).toEqual([logPath(SHOP)]);
  await files.keepOnly([]);
  expect(paths()).toEqual([]);
});

test('a line that a power cut has torn is followed by a whole one', async () => {
  await files.append(BLOG, `${line(1)}\n`);
  await disk.sync(PATH);
  await files.append(BLOG, `${line(2)}\n`);
  disk.crash({ keptBytes: () => 10 });
  files = new LogFiles(disk, LIMITS);
  await files.append(BLOG, `${line(3)}\n`);
  const lines = await files.last(BLOG, ALL);
  expect([lines[0], lines.at(-1)]).toEqual([line(1), line(3)]);
});

test('a full disk throws; once there is room, lines are whole again', async () => {
  await write(0, 2);
  disk.limit(disk.usedBytes() + 10);
  await expect(write(2, 3)).rejects.toThrow(/no space/);
  disk.limit(1_000_000);
  await write(3, 4);
  expect(numbers(await files.last(BLOG, ALL))).toEqual([0, 1, 3]);
});

describe('one change that fails costs the lines of its call, and none after it', () => {
  const FAULTS: readonly Fault[] = ['early', 'late'];
  const PLACES: readonly Change[] = [
    { verb: 'append', path: PATH },
    { verb: 'rename', path: PATH },
    { verb: 'rename', path: `${PATH}.1` },
    { verb: 'remove', path: `${PATH}.2` },
  ];

  test.each(PLACES.flatMap((place) => FAULTS.map((fault) => ({ ...place, fault }))))(
    '$verb $path, $fault',
    async ({ verb, path, fault }) => {
      await write(0, 60);
      let failures = 0;
      letFail(disk, (change) => {
        if (failures > 0 || change.verb !== verb || change.path !== path) return 'none';
        failures += 1;
        return fault;
      });
      const failed: number[] = [];
      for (let second = 60; second < 100; second += 1)
        await write(second, second + 1).catch(() => failed.push(second));
      expect(failures).toBe(1);
      expect(failed).toHaveLength(1);
      expect(paths()).toEqual([PATH, `${PATH}.1`, `${PATH}.2`]);
      for (const bytes of disk.files().values()) expect(bytes.length).toBeLessThanOrEqual(1000);
      const kept = numbers(await files.last(BLOG, ALL));
      // Where an append failed late, its line is there.
      const expected = Array.from({ length: 100 }, (_, second) => second).filter(
        (second) => !failed.includes(second) || kept.includes(second),
      );
      expect(kept).toEqual(expected.slice(-kept.length));
      expect(kept.length).toBeGreaterThan(40);
    },
  );
});

test('a file that made way is shown where nothing could be written behind it', async () => {
  await write(0, PER_FILE);
  disk.limit(disk.usedBytes());
  await expect(write(PER_FILE, PER_FILE + 1)).rejects.toThrow(/no space/);
  expect(paths()).toEqual([`${PATH}.1`]);
  expect(numbers(await files.last(BLOG, { ...ALL, linesMax: 3 }))).toEqual([20, 21, 22]);
});

test('a disk that refuses to rename costs no file that has no need to make way', async () => {
  await write(0, 3 * PER_FILE);
  letFail(disk, ({ verb, path }) => (verb === 'rename' && path === PATH ? 'early' : 'none'));
  for (let tries = 0; tries < 10; tries += 1) await expect(write(99, 100)).rejects.toThrow('EIO');
  expect(numbers(await files.last(BLOG, ALL))[0]).toBe(PER_FILE);
});

test('a file that made way though the disk said no goes with its site', async () => {
  await write(0, PER_FILE);
  letFail(disk, ({ verb }) => (verb === 'rename' ? 'late' : 'none'));
  await expect(write(99, 100)).rejects.toThrow('EIO');
  expect(paths()).toEqual([`${PATH}.1`]);
  await files.keepOnly([SHOP]);
  expect(paths()).toEqual([]);
});

test('a folder that fails in every way costs no lines of other sites', async () => {
  await write(0, 1);
  const stat = disk.stat.bind(disk);
  disk.stat = async (path) => {
    if (path.startsWith(PATH)) throw new Error(`stat ${path}: EIO`);
    return stat(path);
  };
  letFail(disk, ({ path }) => (path.startsWith(PATH) ? 'early' : 'none'));
  await expect(write(1, 2)).rejects.toThrow('EIO');
  await write(0, 100, SHOP);
  expect(numbers(await files.last(SHOP, ALL)).at(-1)).toBe(99);
});

test('a file that cannot be removed holds up no other, and is removed the next time', async () => {
  await write(0, 100);
  await write(0, 1, SHOP);
  const stuck = `${PATH}.1`;
  let isStuck = true;
  letFail(disk, ({ verb, path }) =>
    isStuck && verb === 'remove' && path === stuck ? 'early' : 'none',
  );
  await expect(files.keepOnly([])).rejects.toThrow(`1 files are left: Error: remove ${stuck}: EIO`);
  expect(paths()).toEqual([stuck]);
  isStuck = false;
  await files.keepOnly([]);
  expect(paths()).toEqual([]);
});
