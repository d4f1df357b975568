import { expect, test } from 'vitest';
import type { Disk } from './disk.ts';

/** The contract of `Disk`: every implementation passes it. `make` gives an empty disk. */
export function diskCases(make: () => Promise<Disk>): void {
  test('an absent file reads as undefined, has no stat, and can be removed', async () => {
    const disk = await make();
    expect(await disk.read('none')).toBeUndefined();
    expect(await disk.stat('none')).toBeUndefined();
    expect(await disk.list('none')).toEqual([]);
    await disk.remove('none');
    await expect(collect(disk.stream('none'))).rejects.toThrow('none');
    await expect(disk.rename('none', 'other')).rejects.toThrow('none');
  });

  test('write replaces the whole file and makes missing folders', async () => {
    const disk = await make();
    await disk.write('a/b/c', bytes('long content'));
    await disk.write('a/b/c', bytes('short'));
    expect(text(await disk.read('a/b/c'))).toBe('short');
    expect(await disk.stat('a/b/c')).toEqual({ name: 'c', kind: 'file', sizeBytes: 5 });
    expect(await disk.stat('a/b')).toEqual({ name: 'b', kind: 'folder', sizeBytes: 0 });
  });

  test('a file is read into memory that has room for it, and not into less', async () => {
    const disk = await make();
    await disk.write('a/file', bytes('12345'));
    await disk.write('empty', bytes(''));
    const memory = Buffer.from('-------');
    expect(await disk.readInto('a/file', memory.subarray(1))).toBe(5);
    expect(memory.toString()).toBe('-12345-');
    expect(await disk.readInto('a/file', memory.subarray(0, 5))).toBe(5);
    expect(await disk.readInto('a/file', memory.subarray(0, 4))).toBe('too long');
    expect(await disk.readInto('empty', new Uint8Array())).toBe(0);
    expect(await disk.readInto('none', memory)).toBeUndefined();
  });

  test('what was written stays as it was, though its memory is used again', async () => {
    const disk = await make();
    const memory = Buffer.from('first');
    await disk.write('whole', memory);
    await disk.append('part', memory);
    memory.write('other');
    expect(text(await disk.read('whole'))).toBe('first');
    expect(text(await disk.read('part'))).toBe('first');
  });

  test('append makes the file and its folders, then grows it', async () => {
    const disk = await make();
    await disk.append('part/one', bytes('ab'));
    await disk.append('part/one', bytes('cd'));
    await disk.sync('part/one');
    expect(text(await disk.read('part/one'))).toBe('abcd');
  });

  test('rename moves into a new folder and replaces what was there', async () => {
    const disk = await make();
    await disk.write('from', bytes('new'));
    await disk.write('to/file', bytes('old'));
    await disk.rename('from', 'to/file');
    expect(await disk.read('from')).toBeUndefined();
    expect(text(await disk.read('to/file'))).toBe('new');
    await disk.rename('to/file', 'else/where/file');
    expect(text(await disk.read('else/where/file'))).toBe('new');
  });

  test('list is sorted by name and tells files from folders', async () => {
    const disk = await make();
    await disk.write('folder/b', bytes('22'));
    await disk.write('folder/a/x', bytes('1'));
    await disk.write('folder/c', bytes(''));
    expect(await disk.list('folder')).toEqual([
      { name: 'a', kind: 'folder', sizeBytes: 0 },
      { name: 'b', kind: 'file', sizeBytes: 2 },
      { name: 'c', kind: 'file', sizeBytes: 0 },
    ]);
    expect((await disk.list('')).map((entry) => entry.name)).toEqual(['folder']);
  });

  test('remove takes a folder with all that is in it, and nothing beside it', async () => {
    const disk = await make();
    await disk.write('folder/deep/file', bytes('1'));
    await disk.write('folder-too', bytes('2'));
    await disk.remove('folder');
    expect(await disk.read('folder/deep/file')).toBeUndefined();
    expect(text(await disk.read('folder-too'))).toBe('2');
  });

  test('stream gives a range in pieces of at most 64 KiB', async () => {
    const disk = await make();
    const content = Uint8Array.from({ length: 200_000 }, (_, index) => index % 251);
    await disk.write('big', content);
    const pieces = await collect(disk.stream('big'));
    expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThanOrEqual(64 * 1024);
    expect(Buffer.concat(pieces).equals(content)).toBe(true);
    const middle = Buffer.concat(await collect(disk.stream('big', { start: 5, end: 70_000 })));
    expect(middle.equals(content.subarray(5, 70_000))).toBe(true);
    expect(await collect(disk.stream('big', { start: 200_000 }))).toEqual([]);
  });

  test('stream in the memory of one piece gives the same bytes', async () => {
    const disk = await make();
    const content = Uint8Array.from({ length: 200_000 }, (_, index) => index % 251);
    await disk.write('big', content);
    const seen = async (range: { readonly start?: number; readonly end?: number }) => {
      const copies: Uint8Array[] = [];
      for await (const piece of disk.stream('big', { ...range, memory: 'one piece' })) {
        expect(piece.length).toBeLessThanOrEqual(64 * 1024);
        copies.push(piece.slice());
      }
      return Buffer.concat(copies);
    };
    expect((await seen({})).equals(content)).toBe(true);
    expect((await seen({ start: 5, end: 70_000 })).equals(content.subarray(5, 70_000))).toBe(true);
    expect((await seen({ start: 199_999, end: 300_000 })).equals(content.subarray(199_999))).toBe(
      true,
    );
    expect((await seen({ start: 200_000 })).length).toBe(0);
    await expect(collect(disk.stream('none', { memory: 'one piece' }))).rejects.toThrow('none');
  });

  test.each(['../out', '/etc/passwd', 'a/../../b', 'a//b', './a', 'nul\0'])(
    'the path %j would leave the disk and throws',
    async (path) => {
      const disk = await make();
      await expect(disk.read(path)).rejects.toThrow(RangeError);
      await expect(disk.write(path, bytes('x'))).rejects.toThrow(RangeError);
      await expect(disk.remove(path)).rejects.toThrow(RangeError);
    },
  );

  test('a folder cannot be written as a file', async () => {
    const disk = await make();
    await disk.write('folder/file', bytes('1'));
    await expect(disk.write('folder', bytes('2'))).rejects.toThrow('folder');
    expect(text(await disk.read('folder/file'))).toBe('1');
  });
}

function bytes(content: string): Uint8Array {
  return Buffer.from(content);
}

function text(content: Uint8Array | undefined): string | undefined {
  return content === undefined ? undefined : Buffer.from(content).toString();
}

async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return all;
}
