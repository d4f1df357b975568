import { describe, expect, test } from 'vitest';
import type { BlobSource } from '../../runtime/content/blob-source.ts';
import { blobPath, type Digest } from '../../runtime/content/digest.ts';
import type { Peer, PeerAnswer } from '../../runtime/content/peers.ts';
import { encodeHeads, NOT_YET } from '../../runtime/content/small-blobs.ts';
import { memoryDisk } from '../../runtime/disk/memory-disk.ts';
import { silentLog } from '../../runtime/log.ts';
import { virtualClock } from '../../runtime/test-clock.ts';
import { playedSource, release } from './content.fixture.ts';
import { BATCHES_MAX, FetchPool, type WantedFetch } from './fetch-pool.ts';
import type { Need } from './plan.ts';
import { Sources } from './sources.ts';

type Site = ReturnType<typeof release>;

const pages = (name: string, count: number): Site =>
  release(Object.fromEntries(Array.from({ length: count }, (_, n) => [`${n}`, `${name} ${n}`])));

function fetchesOf({ digest: list, blobs }: Site, need: Need = 'needed'): readonly WantedFetch[] {
  return [...blobs]
    .filter(([digest]) => digest !== list)
    .map(([digest, { length: sizeBytes }]) => ({ digest, list, sizeBytes, need }));
}

/** A pool whose edge answers each question for several as `edge` says. */
function scene(
  sites: readonly Site[],
  { edge, listed }: { edge: (digests: readonly Digest[]) => Promise<PeerAnswer>; listed: Digest },
) {
  const [clock, disk, over] = [virtualClock(), memoryDisk(), new AbortController()];
  const random = { next: () => 0.5, bytes: (count: number) => new Uint8Array(count) };
  const source: BlobSource = playedSource(new Map(sites.flatMap(({ blobs }) => [...blobs])));
  const peer: Peer = {
    ...{ node: 'london', addresses: ['192.0.2.1'], httpsPort: 443, fingerprint: '00' },
    ...{ grant: Buffer.from('london'), untilS: 1 },
  };
  const sources = new Sources({
    ...{ clock, source, log: silentLog },
    peers: {
      ...{ node: 'paris', askBytesMin: 0 },
      finder: { find: async ({ list }) => (list === listed ? [peer] : []) },
      fetcher: {
        get: async (_peer, { path }) => {
          const [, named = ''] = /\/b8s\/blobs?\/([^?]+)\?/u.exec(path) ?? [];
          return edge(named.split(',').map((hex): Digest => `sha256-${hex}`));
        },
      },
    },
  });
  const pool = new FetchPool({
    ...{ disk, sources, clock, random, log: silentLog },
    ...{ onFetched: () => undefined, onProgress: () => undefined },
  });
  return {
    ...{ clock, pool },
    want: (...fetches: readonly WantedFetch[]) =>
      pool.want(fetches, { parts: new Set(), signal: over.signal }),
    hasAll: (site: Site) =>
      fetchesOf(site).every(({ digest }) => disk.files().has(blobPath(digest))),
    async end() {
      over.abort(new Error('the test is over'));
      await pool.idle();
    },
  };
}

const notYet = (digests: readonly Digest[], status: 200 | 503): PeerAnswer =>
  status === 503
    ? { kind: 'not yet', heldBytes: 0 }
    : { kind: 'bytes', pieces: nothing(), heads: encodeHeads(digests.map(() => NOT_YET)) };

async function* nothing(): AsyncGenerator<Uint8Array> {
  // It ends at once.
}

describe('an edge that has nothing of a site yet', () => {
  const [blog, shop] = [pages('blog', 128 * (BATCHES_MAX + 2)), pages('shop', 20)];

  test.each([200, 503] as const)('does not hold up other sites by its %i', async (status) => {
    const edge = async (digests: readonly Digest[]) => notYet(digests, status);
    const world = scene([blog, shop], { edge, listed: blog.digest });
    world.want(...fetchesOf(blog), ...fetchesOf(shop));
    await world.clock.advance(1_000);
    expect(world.hasAll(shop)).toBe(true);
    expect(world.hasAll(blog)).toBe(false);
    await world.end();
  });

  test('holds up what only helps: what is needed is tried first, again and again', async () => {
    const asked: Digest[] = [];
    const edge = async (digests: readonly Digest[]) => {
      asked.push(...digests);
      return notYet(digests, 503);
    };
    const world = scene([blog, shop], { edge, listed: blog.digest });
    world.want(...fetchesOf(blog), ...fetchesOf(shop, 'helpful'));
    await world.clock.advance(1_000);
    expect(new Set(asked).size).toBeLessThan(fetchesOf(blog).length);
    expect(world.hasAll(shop)).toBe(false);
    await world.end();
  });
});

test('what is not wanted any more when a question ends is not asked for again', async () => {
  const [before, after] = [release({ a: 'kept', b: 'gone' }), release({ a: 'kept', c: 'new' })];
  const first = Promise.withResolvers<void>();
  const asked: (readonly Digest[])[] = [];
  const edge = async (digests: readonly Digest[]) => {
    asked.push(digests);
    if (asked.length === 1) await first.promise;
    return notYet(digests, 503);
  };
  const world = scene([before, after], { edge, listed: before.digest });
  world.want(...fetchesOf(before));
  await world.clock.advance(0);
  world.want(...fetchesOf(after));
  first.resolve();
  await world.clock.advance(2_000);
  expect(asked).toEqual([fetchesOf(before).map(({ digest }) => digest)]);
  expect(world.hasAll(after)).toBe(true);
  await world.end();
});
