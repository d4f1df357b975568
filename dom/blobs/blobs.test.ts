import { beforeEach, describe, expect, test } from 'vitest';
import { blobPath, type Digest, digestOf } from '../../runtime/content/digest.ts';
import { type MemoryDisk, memoryDisk } from '../../runtime/disk/memory-disk.ts';
import { Blobs } from './blobs.ts';

const random = { next: () => 0.5, bytes: (length: number) => new Uint8Array(length) };
const SMALL = Buffer.from('a small blob');
const LARGE = Buffer.alloc(400_000, 'large ');

let disk: MemoryDisk;
let blobs: Blobs;

beforeEach(() => {
  disk = memoryDisk();
  blobs = new Blobs(disk, random);
});

async function put(bytes: Uint8Array): Promise<Digest> {
  const digest = digestOf(bytes);
  await blobs.put(digest, pieces(bytes));
  return digest;
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 50_000) yield bytes.subarray(at, at + 50_000);
}

async function readAll(digest: string, offsetBytes = 0): Promise<Buffer> {
  const read: Uint8Array[] = [];
  for await (const piece of (await blobs.open(digest, offsetBytes)).chunks) read.push(piece);
  return Buffer.concat(read);
}

describe.each([
  { size: 'small', bytes: SMALL },
  { size: 'large', bytes: LARGE },
])('a $size blob', ({ bytes }) => {
  test('is given whole, or from an offset on', async () => {
    const digest = await put(bytes);
    expect((await readAll(digest)).equals(bytes)).toBe(true);
    expect((await readAll(digest, 7)).equals(bytes.subarray(7))).toBe(true);
  });

  test('that has rotted is refused, is missing from then on, and can be pushed again', async () => {
    const digest = await put(bytes);
    disk.rot(blobPath(digest), 5);
    await expect(readAll(digest)).rejects.toThrow('push it again');
    expect(await blobs.has(digest)).toBe(false);
    await put(bytes);
    expect((await readAll(digest)).equals(bytes)).toBe(true);
  });

  test('that was misread once is kept', async () => {
    const digest = await put(bytes);
    const path = blobPath(digest);
    disk.rot(path, 5);
    const { stream } = disk;
    let reads = 0;
    // The rot heals before the second look.
    disk.stream = (...args) => {
      reads += 1;
      if (reads > (bytes === SMALL ? 0 : 1)) disk.rot(path, 5);
      return stream.apply(disk, args);
    };
    await expect(readAll(digest)).rejects.toThrow('misread');
    disk.stream = stream;
    expect((await readAll(digest)).equals(bytes)).toBe(true);
  });
});

test('a blob that is pushed again while somebody finds it damaged stays', async () => {
  const digest = await put(SMALL);
  const path = blobPath(digest);
  disk.rot(path, 5);
  let reads = 0;
  const { stream } = disk;
  disk.stream = async function* (...asked) {
    const pieces: Uint8Array[] = [];
    for await (const piece of stream.apply(disk, asked)) pieces.push(piece);
    // What was read is wrong still, and right by the time that it is judged.
    reads += 1;
    if (reads === 1) await put(SMALL);
    yield* pieces;
  };
  await expect(readAll(digest)).rejects.toThrow('misread');
  expect((await readAll(digest)).equals(SMALL)).toBe(true);
});

test('who finds a damaged blob that somebody else has put aside, says that it is not there', async () => {
  const digest = await put(LARGE);
  disk.rot(blobPath(digest), 5);
  const found = await Promise.allSettled([readAll(digest), readAll(digest)]);
  expect(found.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await blobs.has(digest)).toBe(false);
  expect([...disk.files().keys()]).toEqual([]);
});

test('a full disk refuses an upload, and takes it once there is room', async () => {
  disk.limit(SMALL.length);
  await expect(put(LARGE)).rejects.toThrow('no space left');
  expect([...disk.files().keys()]).toEqual([]);
  disk.limit(Infinity);
  expect((await readAll(await put(LARGE))).equals(LARGE)).toBe(true);
});
