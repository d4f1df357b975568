import { describe, expect, test } from 'vitest';
import { blobPath, type Digest } from '../../../runtime/content/digest.ts';
import { memoryDisk } from '../../../runtime/disk/memory-disk.ts';
import { release } from '../../content/content.fixture.ts';
import { PeerLists } from './peer-lists.ts';

/** Each names three blobs and itself. */
const NAMED = 4;
const lists = ['a', 'b', 'c', 'd'].map((name) =>
  release({ one: `${name} 1`, two: `${name} 2`, three: `${name} 3` }),
);
const digests = lists.map(({ digest }) => digest);
const [a = never(), b = never(), c = never(), d = never()] = digests;

function never(): Digest {
  throw new Error('there are too few lists');
}

/** With the lists that were read from the disk, in order; reads in `held` wait until they are let go. */
async function scene(namedMax: number, held: ReadonlyMap<Digest, Promise<void>> = new Map()) {
  const [disk, read] = [memoryDisk(), [] as Digest[]];
  for (const { digest, blobs } of lists)
    await disk.write(blobPath(digest), blobs.get(digest) ?? new Uint8Array());
  const spied = async (path: string): Promise<Uint8Array | undefined> => {
    const digest = digests.find((each) => blobPath(each) === path) ?? never();
    read.push(digest);
    await held.get(digest);
    return disk.read(path);
  };
  return { known: new PeerLists({ ...disk, read: spied }, { namedMax }), read };
}

describe('lists that are remembered', () => {
  test('go one by one, the oldest first, when there is no room for all', async () => {
    const { known, read } = await scene(3 * NAMED);
    for (const list of [a, b, c, d, b, c, d]) expect((await known.of(list))?.size).toBe(NAMED);
    expect(read).toEqual([a, b, c, d]);
    await known.of(a);
    await known.of(b);
    expect(read).toEqual([a, b, c, d, a, b]);
  });

  test('are read once for all who ask meanwhile', async () => {
    const { known, read } = await scene(NAMED);
    await Promise.all([known.of(a), known.of(a)]);
    expect(read).toEqual([a]);
  });

  test('do not go before they are read; one whose disk fails is forgotten', async () => {
    const failing = Promise.withResolvers<void>();
    const { known, read } = await scene(NAMED, new Map([[a, failing.promise]]));
    const first = known.of(a);
    await known.of(b);
    await known.of(c);
    failing.reject(new Error('EIO'));
    await expect(first).rejects.toThrow('EIO');
    await expect(known.of(a)).rejects.toThrow('EIO');
    // An answer that nobody handles would end the process.
    await new Promise((resolve) => setImmediate(resolve));
    expect(read).toEqual([a, b, c, a]);
  });

  test('are more than there is room for when one alone is', async () => {
    const { known, read } = await scene(1);
    for (const list of [a, a, b, b]) expect((await known.of(list))?.size).toBe(NAMED);
    expect(read).toEqual([a, b]);
  });
});
