import { beforeEach, expect, test } from 'vitest';
import { blobPath, type Digest, digestOf } from '../../../runtime/content/digest.ts';
import type { DiskReader } from '../../../runtime/disk/disk-reader.ts';
import { type MemoryDisk, memoryDisk } from '../../../runtime/disk/memory-disk.ts';
import { createBlobSource } from './blob-source.ts';
import { createMemoryCache } from './memory-cache.ts';

const TEXT = '0123456789';
const BLOB = digestOf(Buffer.from(TEXT));
const RANGE = { digest: BLOB, sizeBytes: TEXT.length, start: 2, end: 5 };

let disk: MemoryDisk;
let damaged: Digest[];
let reads: number;

beforeEach(async () => {
  disk = memoryDisk();
  await disk.write(blobPath(BLOB), Buffer.from(TEXT));
  [damaged, reads] = [[], 0];
});

/** Of one disk, as a quick one and as a slow one. */
const READERS = [
  {
    speed: 'at once',
    read: (path: string) => {
      reads += 1;
      return disk.files().get(path);
    },
  },
  {
    speed: 'late',
    read: (path: string) => {
      reads += 1;
      return disk.read(path);
    },
  },
] as const;

function open(read: DiskReader['read'], budgetBytes = 1000) {
  const reader = { read, stream: disk.stream.bind(disk), stat: disk.stat.bind(disk) };
  const cache = createMemoryCache({ budgetBytes, fileBytesMax: 100 });
  return createBlobSource(reader, cache, (blob) => void damaged.push(blob));
}

test.each(READERS)('a small blob that comes $speed is read once', async ({ read }) => {
  const source = open(read);
  const parts = await Promise.all([source(RANGE), source(RANGE), source(RANGE)]);
  for (const each of parts) expect(Buffer.from(each as Uint8Array).toString()).toBe('234');
  const again = source(RANGE);
  expect(again instanceof Uint8Array && Buffer.from(again).toString()).toBe('234');
  expect([reads, damaged]).toEqual([1, []]);
});

test('what the disk has at once is not waited for', () => {
  expect(open(READERS[0].read)(RANGE)).toBeInstanceOf(Uint8Array);
});

test.each(READERS)(
  'there is no memory for it: a blob that comes $speed is compared with its name each time',
  async ({ read }) => {
    const source = open(read, 0);
    expect(Buffer.from((await source(RANGE)) as Uint8Array).toString()).toBe('234');
    disk.rot(blobPath(BLOB), 7);
    await expect(source(RANGE)).rejects.toThrow(/its content has changed/u);
    await disk.remove(blobPath(BLOB));
    await expect(source(RANGE)).rejects.toThrow(/it is not on disk/u);
    expect([reads, damaged]).toEqual([3, [BLOB, BLOB]]);
  },
);
