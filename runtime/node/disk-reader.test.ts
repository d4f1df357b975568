import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { nodeDiskReader } from './disk-reader.ts';

const folder = mkdtempSync(join(tmpdir(), 'b8s-reader-'));
const content = Buffer.from(Array.from({ length: 200_000 }, (_, at) => at % 251));
afterEach(() => rmSync(join(folder, 'file'), { force: true }));
afterAll(() => rmSync(folder, { recursive: true }));

/** How often this process has the file open. */
function openFiles(): number {
  const named = readdirSync('/proc/self/fd').map((name) => {
    try {
      return readlinkSync(`/proc/self/fd/${name}`);
    } catch {
      return '';
    }
  });
  return named.filter((each) => each.startsWith(join(folder, 'file'))).length;
}

function reader(range?: { readonly start?: number; readonly end?: number }) {
  return nodeDiskReader(folder).stream('file', range)[Symbol.asyncIterator]();
}

test.each([
  { when: 'all', range: {}, bytes: content },
  { when: 'a part', range: { start: 5, end: 150_000 }, bytes: content.subarray(5, 150_000) },
  { when: 'to beyond its end', range: { start: 9, end: 300_000 }, bytes: content.subarray(9) },
  { when: 'nothing', range: { start: 9, end: 9 }, bytes: Buffer.alloc(0) },
])('reads $when', async ({ range, bytes }) => {
  writeFileSync(join(folder, 'file'), content);
  const pieces: Uint8Array[] = [];
  for await (const piece of nodeDiskReader(folder).stream('file', range)) pieces.push(piece);
  expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
  expect(Math.max(0, ...pieces.map(({ length }) => length))).toBeLessThanOrEqual(65_536);
  expect(openFiles()).toBe(0);
});

test('a piece is as long as it is asked to be, and nothing is read ahead', async () => {
  writeFileSync(join(folder, 'file'), content);
  const pieces = reader();
  expect((await pieces.next(1000)).value).toHaveLength(1000);
  expect((await pieces.next(7)).value).toEqual(content.subarray(1000, 1007));
  expect((await pieces.next(150_000)).value).toHaveLength(150_000);
  await pieces.return?.();
  expect(await pieces.next()).toMatchObject({ done: true });
  expect(openFiles()).toBe(0);
});

test('a thousand readers of one file have it open once, until the last one has gone', async () => {
  writeFileSync(join(folder, 'file'), content);
  const disk = nodeDiskReader(folder);
  const all = Array.from({ length: 1000 }, () => disk.stream('file')[Symbol.asyncIterator]());
  await Promise.all(all.map((each) => each.next(10)));
  // A busy machine may be a second older meanwhile, and then it is opened anew.
  expect(openFiles()).toBeLessThan(50);
  const [last, ...others] = all;
  for (const each of others) await each.return?.();
  expect((await last?.next(10))?.value).toEqual(content.subarray(10, 20));
  await last?.return?.();
  expect(openFiles()).toBe(0);
});

test('what is not there rejects, and leaves nothing open', async () => {
  await expect(reader().next()).rejects.toThrow(/ENOENT/u);
  expect(openFiles()).toBe(0);
});

test('a piece in memory that is used again is right until the next one is asked for', async () => {
  const large = Buffer.alloc(1_500_000, 'abcdefg');
  writeFileSync(join(folder, 'file'), large);
  const disk = nodeDiskReader(folder);
  // Each with its own memory, also where a reader before has left some.
  const all = Array.from({ length: 5 }, () =>
    disk.stream('file', { memory: 'one piece' })[Symbol.asyncIterator](),
  );
  const gone = all.pop();
  await gone?.next(262_144);
  await gone?.return?.();
  for (const bytesMax of [1000, 262_144, 70_000, 262_144]) {
    const pieces = await Promise.all(all.map((each) => each.next(bytesMax)));
    const same = pieces.every(({ value }) => Buffer.compare(value, pieces[0]?.value) === 0);
    expect(same).toBe(true);
  }
  await all.pop()?.return?.();
  const whole: Buffer[] = [];
  for await (const piece of disk.stream('file', { memory: 'one piece' }))
    whole.push(Buffer.from(piece));
  expect(Buffer.concat(whole).equals(large)).toBe(true);
  for (const each of all) await each.return?.();
  expect(openFiles()).toBe(0);
});

test('what is lent is right until the next such read, and ends where it was to end', async () => {
  const disk = nodeDiskReader(folder);
  writeFileSync(join(folder, 'file'), content);
  const [first, own] = [disk.read('file', { sizeBytes: 1000 }), disk.read('file')];
  expect(first).toEqual(content.subarray(0, 1000));
  expect(own).toEqual(content);
  expect(disk.read('file', { sizeBytes: 65_536 })).toEqual(content.subarray(0, 65_536));
  expect(disk.read('file', { sizeBytes: 65_537 }), 'more than is lent').toEqual(content);
  expect(own).toEqual(content);
  writeFileSync(join(folder, 'file'), 'short');
  expect(Buffer.from((await disk.read('file', { sizeBytes: 9 })) ?? '').toString()).toBe('short');
  expect(disk.read('none', { sizeBytes: 9 })).toBeUndefined();
  expect(openFiles()).toBe(0);
});

test.each(['../file', '/file', 'a//b', 'a/./b', 'a/..', 'a/', 'a\0b'])(
  'the path %j leads nowhere',
  async (path) => {
    await expect(nodeDiskReader(folder).read(path)).rejects.toThrow(/must stay inside/u);
  },
);

test('reads whole files, and says of one that there is none', async () => {
  const disk = nodeDiskReader(folder);
  writeFileSync(join(folder, 'file'), content);
  expect((await disk.read('file')) ?? '').toEqual(content);
  writeFileSync(join(folder, 'file'), '');
  expect(await disk.read('file')).toHaveLength(0);
  expect(await disk.read('none')).toBeUndefined();
  await expect(disk.read('')).rejects.toThrow();
  expect(openFiles()).toBe(0);
});
