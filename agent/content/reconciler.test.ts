import { describe, expect, test } from 'vitest';
import type { BlobSource } from '../../runtime/content/blob-source.ts';
import { blobPath, type Digest, digestOf, partPath } from '../../runtime/content/digest.ts';
import { type MemoryDisk, memoryDisk } from '../../runtime/disk/memory-disk.ts';
import { silentLog } from '../../runtime/log.ts';
import { virtualClock } from '../../runtime/test-clock.ts';
import { desired, playedSource, release } from './content.fixture.ts';
import { BLOB_STALL_MS_MAX } from './download.ts';
import { FETCHES_MAX } from './fetch-pool.ts';
import { COLLECT_GRACE_MS, type DesiredContent } from './plan.ts';
import { createContentReconciler } from './reconciler.ts';

const PAGE = 'the page '.repeat(50);
const pageDigest = digestOf(Buffer.from(PAGE));
const site = release({ 'index.html': PAGE, 'about.html': 'about', 'empty.txt': '' });

describe('content', () => {
  test('a release is verified once its manifest and all its blobs are here', async () => {
    const world = start({ source: playedSource(site.blobs) });
    world.want({ releases: [site.digest] });
    await world.until(() => world.verified().includes(site.digest));
    expect(pathsOf(world.disk)).toEqual(
      [...site.blobs.keys()]
        .map(blobPath)
        .concat(`verified/${site.digest.slice(7)}`)
        .toSorted(),
    );
    await world.stop();
  });

  test('wrong bytes never get to their place, and are asked for again', async () => {
    const source = playedSource(site.blobs, (_, count) => (count <= 3 ? { wrong: 'evil' } : {}));
    const world = start({ source });
    world.want({ releases: [site.digest] });
    await world.until(() => world.verified().includes(site.digest));
    for (const [digest, bytes] of site.blobs) {
      expect(Buffer.from((await world.disk.read(blobPath(digest)))!).equals(bytes)).toBe(true);
    }
    await world.stop();
  });

  test('a cut stream is resumed from where it broke', async () => {
    const source = playedSource(site.blobs, (digest, count) =>
      digest === pageDigest && count < 5 ? { cutAfterBytes: 140 } : {},
    );
    const world = start({ source });
    world.want({ releases: [site.digest] });
    await world.until(() => world.verified().includes(site.digest));
    const offsets = source.asked.filter(({ digest }) => digest === pageDigest);
    expect(offsets.map(({ offsetBytes }) => offsetBytes).slice(0, 2)).toEqual([0, 140]);
    await world.stop();
  });

  test('a part that was damaged on disk is thrown away, then fetched whole', async () => {
    const disk = memoryDisk();
    await disk.write(partPath(pageDigest), Buffer.from('not the page'));
    const source = playedSource(site.blobs);
    const world = start({ disk, source });
    world.want({ releases: [site.digest] });
    await world.until(() => world.verified().includes(site.digest));
    const offsets = source.asked.filter(({ digest }) => digest === pageDigest);
    expect(offsets.map(({ offsetBytes }) => offsetBytes)).toEqual([12, 0]);
    await world.stop();
  });

  test('a part that is longer than its manifest is thrown away, then fetched whole', async () => {
    const disk = memoryDisk();
    await disk.write(partPath(site.digest), Buffer.alloc(10_000));
    const source = playedSource(site.blobs);
    const world = start({ disk, source });
    world.want({ releases: [site.digest] });
    await world.until(() => world.verified().includes(site.digest));
    const offsets = source.asked.filter(({ digest }) => digest === site.digest);
    expect(offsets.map(({ offsetBytes }) => offsetBytes)).toEqual([10_000, 0]);
    await world.stop();
  });

  test('a source that hangs is given up, and meanwhile other releases go on', async () => {
    const other = release({ 'index.html': 'other' });
    const blobs = new Map([...site.blobs, ...other.blobs]);
    let hung = false;
    const source = playedSource(blobs, (digest) => {
      if (digest !== pageDigest || hung) return {};
      hung = true;
      return { hang: true };
    });
    const world = start({ source });
    world.want({ releases: [site.digest, other.digest] });
    await world.until(() => world.verified().includes(other.digest));
    expect(world.verified()).not.toContain(site.digest);
    await world.clock.advance(BLOB_STALL_MS_MAX);
    await world.until(() => world.verified().includes(site.digest));
    await world.stop();
  });

  test('a blob that dom does not have is said, and holds up nothing else', async () => {
    const other = release({ 'index.html': 'other' });
    const blobs = new Map([...site.blobs, ...other.blobs]);
    blobs.delete(pageDigest);
    const world = start({ source: playedSource(blobs) });
    world.want({ releases: [site.digest, other.digest] });
    await world.until(() => world.verified().includes(other.digest));
    await world.until(() => world.errors().has(site.digest));
    expect(world.errors().get(site.digest)).toContain(`dom has no ${pageDigest}`);
    await world.stop();
  });

  test('a full disk is said; once there is room the release gets done', async () => {
    const world = start({ source: playedSource(site.blobs) });
    world.disk.limit(300);
    world.want({ releases: [site.digest] });
    await world.until(() => world.errors().has(site.digest));
    expect(world.errors().get(site.digest)).toContain('no space left');
    world.disk.limit(100_000);
    await world.until(() => world.verified().includes(site.digest));
    expect(world.errors().size).toBe(0);
    await world.stop();
  });

  test('after a crash at any moment a restart gets it done', async () => {
    for (let steps = 0; steps < 40; steps += 1) {
      const disk = memoryDisk();
      const first = start({ disk, source: stepped(playedSource(site.blobs), steps) });
      first.want({ releases: [site.digest] });
      await first.clock.advance(50);
      await first.stop();
      disk.crash();
      const second = start({ disk, source: playedSource(site.blobs) });
      second.want({ releases: [site.digest] });
      await second.until(() => second.verified().includes(site.digest));
      for (const [digest, bytes] of site.blobs) {
        expect(Buffer.from((await disk.read(blobPath(digest)))!).equals(bytes)).toBe(true);
      }
      await second.stop();
    }
  });

  test('a restart trusts what was verified: nothing is fetched, and it is known at once', async () => {
    const first = start({ source: playedSource(site.blobs) });
    first.want({ releases: [site.digest] });
    await first.until(() => first.verified().includes(site.digest));
    await first.stop();
    const source = playedSource(new Map());
    const second = start({ disk: first.disk, source });
    second.want({ releases: [site.digest] });
    expect([...(await second.content.look()).verified]).toEqual([site.digest]);
    await second.clock.advance(60_000);
    expect(source.asked).toEqual([]);
    await second.stop();
  });

  test('several are fetched at a time, never more than the bound', async () => {
    const files = Array.from({ length: 30 }, (_, index) => [`${index}.txt`, `file ${index}`]);
    const large = release(Object.fromEntries(files));
    const source = playedSource(large.blobs);
    const world = start({ source });
    world.want({ releases: [large.digest] });
    await world.until(() => world.verified().includes(large.digest));
    expect(source.busiest()).toBe(FETCHES_MAX);
    expect(source.asked.length).toBe(31);
    await world.stop();
  });

  test('an old release is collected after the grace, a kept one is not', async () => {
    const [old, kept] = [release({ 'a.txt': 'old' }), release({ 'a.txt': 'kept' })];
    const blobs = new Map([...old.blobs, ...kept.blobs, ...site.blobs]);
    const world = start({ source: playedSource(blobs) });
    world.want({ releases: [old.digest, kept.digest] });
    await world.until(() => world.verified().length === 2);
    world.want({ releases: [site.digest], keepReleases: [kept.digest] });
    await world.clock.advance(COLLECT_GRACE_MS - 1000);
    expect(await world.disk.stat(blobPath(old.digest))).toBeDefined();
    await world.clock.advance(2000);
    await world.until(() => !pathsOf(world.disk).includes(blobPath(old.digest)));
    expect(world.verified()).toEqual([kept.digest, site.digest].toSorted());
    expect(pathsOf(world.disk).length).toBe(kept.blobs.size + site.blobs.size + 2);
    await world.stop();
  });

  test('what is not wanted any more is not fetched any longer', async () => {
    const source = playedSource(site.blobs, (digest) =>
      digest === pageDigest ? { hang: true } : {},
    );
    const world = start({ source });
    world.want({ releases: [site.digest] });
    await world.until(() => source.asked.some(({ digest }) => digest === pageDigest));
    world.want({});
    await world.clock.advance(60_000);
    expect(source.asked.filter(({ digest }) => digest === pageDigest).length).toBe(1);
    await world.stop();
  });

  test('a blob for itself is known once it is here', async () => {
    const world = start({ source: playedSource(site.blobs) });
    world.want({ blobs: [{ digest: pageDigest, sizeBytes: PAGE.length }] });
    await world.until(() => world.content.state().blobs.has(pageDigest));
    await world.stop();
  });

  test('a broken manifest is said', async () => {
    const text = Buffer.from('not a manifest');
    const digest = digestOf(text);
    const world = start({ source: playedSource(new Map([[digest, text]])) });
    world.want({ releases: [digest] });
    await world.until(() => world.errors().has(digest));
    expect(world.errors().get(digest)).toContain('line 1');
    await world.stop();
  });
});

function start(options: { readonly source: BlobSource; readonly disk?: MemoryDisk }) {
  const clock = virtualClock();
  const disk = options.disk ?? memoryDisk();
  const random = { next: () => 0.5, bytes: (count: number) => new Uint8Array(count) };
  const content = createContentReconciler({
    ...{ disk, clock, random, log: silentLog, source: options.source },
    onChange: () => undefined,
  });
  const over = new AbortController();
  const running = content.run(over.signal);
  return {
    clock,
    disk,
    content,
    want: (wanted: Partial<DesiredContent>) => content.want(desired(wanted)),
    verified: () => [...content.state().verified],
    errors: () => content.state().errors,
    /** Lets virtual time go on until the condition holds; fails after a virtual minute. */
    until: async (condition: () => boolean) => {
      for (let tries = 0; !condition(); tries += 1) {
        if (tries > 600) throw new Error(`still waiting; disk: ${pathsOf(disk).join(' ')}`);
        await clock.advance(100);
      }
    },
    stop: async () => {
      over.abort(new Error('stop'));
      await clock.advance(0);
      await running;
    },
  };
}

/** Breaks every stream for good after so many pieces in all: as if the machine had lost power. */
function stepped(source: BlobSource, pieces: number): BlobSource {
  let left = pieces;
  return {
    async *fetch(digest: Digest, offsetBytes: number, signal: AbortSignal) {
      for await (const piece of source.fetch(digest, offsetBytes, signal)) {
        left -= 1;
        if (left < 0) throw new Error('power lost');
        yield piece;
      }
    },
  };
}

function pathsOf(disk: MemoryDisk): readonly string[] {
  return [...disk.files().keys()];
}
