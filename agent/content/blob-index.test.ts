import { expect, test } from 'vitest';
import { blobPath, digestOf } from '../../runtime/content/digest.ts';
import { memoryDisk } from '../../runtime/disk/memory-disk.ts';
import { BlobIndex } from './blob-index.ts';

const bytes = Buffer.from('a page');
const [page, other] = [digestOf(bytes), digestOf(Buffer.from('other'))];

/** Which counts how often a folder is listed, and can be told to wait in the middle of it. */
async function scene() {
  const disk = memoryDisk();
  await disk.write(blobPath(page), bytes);
  const list = disk.list.bind(disk);
  const seen = { lists: 0, during: async (): Promise<void> => undefined };
  disk.list = async (folder) => {
    seen.lists += 1;
    const found = await list(folder);
    await seen.during();
    return found;
  };
  const index = new BlobIndex(disk);
  const blobs = async () => Object.fromEntries((await index.read()).blobs);
  return { disk, index, seen, blobs };
}

test('the disk is read once, and then it is told what comes and goes', async () => {
  const { index, seen, blobs } = await scene();
  expect(await blobs()).toEqual({ [page]: 6 });
  const { lists } = seen;
  index.added(other, 5);
  expect(await blobs()).toEqual({ [page]: 6, [other]: 5 });
  index.removed(page);
  expect(await blobs()).toEqual({ [other]: 5 });
  expect(seen.lists).toBe(lists);
});

test('what it gave belongs to who asked', async () => {
  const { index, blobs } = await scene();
  (await index.read()).blobs.clear();
  expect(await blobs()).toEqual({ [page]: 6 });
  (await index.read()).blobs.clear();
  expect(await blobs()).toEqual({ [page]: 6 });
});

test('what went by itself is seen once it is told to forget', async () => {
  const { disk, index, blobs } = await scene();
  await blobs();
  await disk.remove(blobPath(page));
  expect(await blobs()).toEqual({ [page]: 6 });
  index.forget();
  expect(await blobs()).toEqual({});
});

test('what comes and goes while the disk is read counts', async () => {
  const { index, seen, blobs } = await scene();
  seen.during = async () => {
    index.added(other, 5);
    index.removed(page);
  };
  expect(await blobs()).toEqual({ [other]: 5 });
  expect(await blobs()).toEqual({ [other]: 5 });
});

test('a look that was overtaken by a word that something has gone is not kept', async () => {
  const { disk, index, seen, blobs } = await scene();
  seen.during = async () => {
    await disk.remove(blobPath(page));
    index.forget();
    seen.during = async () => undefined;
  };
  await blobs();
  expect(await blobs()).toEqual({});
});

test('as long as there is what does not belong there, the disk is read each time', async () => {
  const { disk, index, seen } = await scene();
  await disk.write('blobs/sha256/zz/notes.txt', bytes);
  expect((await index.read()).strays).toEqual(['blobs/sha256/zz/notes.txt']);
  const { lists } = seen;
  await disk.remove('blobs/sha256/zz/notes.txt');
  expect((await index.read()).strays).toEqual([]);
  expect(seen.lists).toBeGreaterThan(lists);
});
