import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Event } from '../../api/event.ts';
import type { ReleaseStatus } from '../../api/release.ts';
import type { SiteStatus } from '../../api/site.ts';
import type { UploadBlobRequest } from '../../proto/gen/b8s/v1/api.ts';
import { blobPath, type Digest, digestOf } from '../../runtime/content/digest.ts';
import { encodeManifest } from '../../runtime/content/manifest.ts';
import { encodeVariants } from '../../runtime/content/variants.ts';
import { type MemoryDisk, memoryDisk } from '../../runtime/disk/memory-disk.ts';
import type { Store } from '../../runtime/store/store.ts';
import { type Operation, Writer } from '../../runtime/store/writer.ts';
import { virtualClock } from '../../runtime/test-clock.ts';
import { ADMIN, type DomScene, domScene, siteNamed } from '../test-scene.ts';

const HOUR_MS = 3_600_000;
/** The grace, and two looks. */
const LONG_MS = 26 * HOUR_MS;

let at: DomScene;
let disk: MemoryDisk;
/** How far the wall clock has been set forward. */
let setMs: number;

beforeEach(async () => {
  disk = memoryDisk();
  setMs = 0;
  const clock = virtualClock();
  at = await domScene({ disk, clock: { ...clock, nowMs: () => clock.nowMs() + setMs } });
});
afterEach(() => at.stop());

const digest = (text: string): Digest => digestOf(Buffer.from(text));
const isHere = (of: Digest): boolean => disk.files().has(blobPath(of));

async function upload(bytes: Uint8Array): Promise<Digest> {
  const of = digestOf(bytes);
  const message = { digest: of, sizeBytes: BigInt(bytes.length), chunk: Buffer.from(bytes) };
  await at.term.api.uploadBlob(once({ ...message, offsetBytes: 0n, rawBytes: 0 }), ADMIN);
  return of;
}

async function* once(message: UploadBlobRequest): AsyncGenerator<UploadBlobRequest> {
  yield message;
}

const uploadText = (text: string): Promise<Digest> => upload(Buffer.from(text));

/** What b8sctl asks before it sends anything. */
async function lacks(...digests: readonly Digest[]): Promise<readonly string[]> {
  return (await at.term.api.findMissingBlobs({ digests }, ADMIN)).digests;
}

function manifestOf(...texts: readonly string[]): Uint8Array {
  return encodeManifest(
    texts.map((text) => ({
      ...{ path: text, digest: digest(text), sizeBytes: Buffer.byteLength(text) },
      contentType: 'text/plain',
    })),
  );
}

const declare = (name: Digest): Promise<unknown> =>
  at.apply({
    ...{ apiVersion: 'b8s.dev/v1', kind: 'Release', metadata: { name } },
    spec: { site: 'blog', files: 1, sizeBytes: 1 },
  });

async function publish(...texts: readonly string[]): Promise<Digest> {
  for (const text of texts) await uploadText(text);
  const name = await upload(manifestOf(...texts));
  await declare(name);
  return name;
}

async function commit(...operations: readonly Operation[]): Promise<void> {
  const random = { next: () => 0.5, bytes: (length: number) => new Uint8Array(length) };
  const writer = new Writer({ ...at, random, fence: () => [] });
  const { outcome } = await writer.commit(operations, { manager: 'test', user: 'test' });
  expect(outcome).toBe('written');
}

const events = (): readonly Event[] =>
  at.term.mirror.list('Event').filter(({ spec }) => spec.reason === 'ManifestUnreadable');

test('what nothing names goes after the grace, and what a Release names stays', async () => {
  const kept = await publish('one', 'two');
  const stray = await uploadText('stray');
  await at.clock.advance(23 * HOUR_MS);
  expect(isHere(stray)).toBe(true);
  await at.clock.advance(3 * HOUR_MS);
  expect(isHere(stray)).toBe(false);
  for (const each of [kept, digest('one'), digest('two')]) expect(isHere(each)).toBe(true);
});

test('what a deleted Release had goes, but for what another one has', async () => {
  const old = await publish('old', 'same');
  const next = await publish('next', 'same');
  await at.clock.advance(LONG_MS);
  await at.remove('Release', old);
  await at.clock.advance(LONG_MS);
  expect([old, digest('old')].map(isHere)).toEqual([false, false]);
  expect([next, digest('next'), digest('same')].map(isHere)).toEqual([true, true, true]);
});

test('what a Release names stays, though the mirror has not heard of it for the whole grace', async () => {
  at.stop();
  let mirror = 'follows';
  const wrapStore = (store: Store): Store =>
    new Proxy(store, {
      get(target, key) {
        const member: unknown = Reflect.get(target, key);
        if (key !== 'watch') return typeof member === 'function' ? member.bind(target) : member;
        return async function* (...asked: Parameters<Store['watch']>) {
          for await (const event of target.watch(...asked)) {
            if (mirror === 'stands still') await new Promise(() => undefined);
            yield event;
          }
        };
      },
    });
  at = await domScene({ disk, wrapStore });
  const stray = await uploadText('stray');
  await at.clock.advance(LONG_MS);
  expect(isHere(stray)).toBe(false);
  mirror = 'stands still';
  const name = await publish('page');
  await at.clock.advance(LONG_MS);
  expect([name, digest('page')].map(isHere)).toEqual([true, true]);
});

test('compressed forms and geography databases stay', async () => {
  const name = await publish('page');
  const form = await uploadText('form');
  const index = await upload(
    encodeVariants(new Map([[digest('page'), [{ coding: 'br', digest: form, sizeBytes: 4 }]]])),
  );
  const database = await uploadText('database');
  const release = at.term.mirror.get('Release', { namespace: 'default', name });
  if (release === undefined) throw new Error('it was declared');
  const { status: _, ...rest } = release;
  const status: ReleaseStatus = { variants: { index, done: 1, total: 1, savedBytes: 1 } };
  const databases = [{ digest: database, sizeBytes: 8 }];
  await commit(
    { kind: 'status', base: rest, status },
    { kind: 'record', record: 'geo', id: 'current', modRevision: 0n, value: { databases } },
  );
  await at.clock.advance(LONG_MS);
  expect([name, index, form, database].map(isHere)).toEqual([true, true, true, true]);
});

test('what a Site serves stays, though somebody has deleted its Release', async () => {
  const name = await publish('page');
  await at.apply(siteNamed('blog'));
  await at.clock.advance(1_000);
  const site = at.term.mirror.get('Site', { namespace: 'default', name: 'blog' });
  if (site === undefined) throw new Error('it was declared');
  const status: SiteStatus = { ...site.status, release: name };
  await commit({ kind: 'status', base: site, status });
  await at.remove('Release', name);
  await at.clock.advance(LONG_MS);
  expect([name, digest('page')].map(isHere)).toEqual([true, true]);
});

describe('a push', () => {
  test('that asks for what is about to go finds it when its Release is declared', async () => {
    await uploadText('page');
    // Found without a name for nearly the whole grace.
    await at.clock.advance(23 * HOUR_MS);
    expect(await lacks(digest('page'))).toEqual([]);
    await at.clock.advance(23 * HOUR_MS);
    expect(isHere(digest('page'))).toBe(true);
    await upload(manifestOf('page'));
    await declare(digestOf(manifestOf('page')));
    await at.clock.advance(3 * LONG_MS);
    expect(isHere(digest('page'))).toBe(true);
  });

  test('that brings it again does, too', async () => {
    await uploadText('page');
    await at.clock.advance(23 * HOUR_MS);
    await uploadText('page');
    await at.clock.advance(23 * HOUR_MS);
    expect(isHere(digest('page'))).toBe(true);
  });

  test('that asks in the very moment is told that it is missing, and brings it back', async () => {
    const page = await uploadText('page');
    await at.clock.advance(24 * HOUR_MS);
    const { remove } = disk;
    const over = Promise.withResolvers<void>();
    let begun = 0;
    disk.remove = async (path) => {
      begun += 1;
      await over.promise;
      return remove.call(disk, path);
    };
    // Within the time that a look may take: it is still under way.
    while (begun === 0) await at.clock.advance(20_000);
    const question = lacks(page);
    const bringing = uploadText('page');
    await at.clock.advance(10);
    over.resolve();
    await Promise.all([question, bringing]);
    disk.remove = remove;
    await upload(manifestOf('page'));
    await declare(digestOf(manifestOf('page')));
    await at.clock.advance(LONG_MS);
    expect(isHere(page)).toBe(true);
  });

  test('for days is not hurt by a clock that is set', async () => {
    const page = await uploadText('page');
    await at.clock.advance(2 * HOUR_MS);
    setMs = 400 * 24 * HOUR_MS;
    await at.clock.advance(2 * HOUR_MS);
    expect(isHere(page)).toBe(true);
    setMs = -400 * 24 * HOUR_MS;
    await at.clock.advance(LONG_MS);
    expect(isHere(page)).toBe(false);
  });

  test('is not hurt by a new term: what was asked is forgotten, and so are all ages', async () => {
    const page = await uploadText('page');
    await at.clock.advance(23 * HOUR_MS);
    at.stop();
    at = await domScene({ disk, clock: at.clock, store: at.store });
    await at.clock.advance(23 * HOUR_MS);
    expect(isHere(page)).toBe(true);
    await at.clock.advance(3 * HOUR_MS);
    expect(isHere(page)).toBe(false);
  });
});

describe('a list of files that cannot be read', () => {
  test.each([
    { when: 'is gone', why: "is not on dom's disk", harm: (path: string) => disk.remove(path) },
    {
      when: 'has rotted',
      why: "is not on dom's disk",
      harm: async (path: string) => void disk.rot(path, 9),
    },
  ])('and that $when keeps everything, and is told of once', async ({ why, harm }) => {
    const name = await publish('page');
    const stray = await uploadText('stray');
    await harm(blobPath(name));
    await at.clock.advance(20 * HOUR_MS);
    const [event, ...others] = events();
    expect(event?.spec.message).toContain(why);
    expect(event?.spec.message).toContain(`b8sctl delete release ${name}`);
    expect(event?.spec.regarding).toMatchObject({ kind: 'Release', name });
    expect(others).toEqual([]);
    await at.clock.advance(LONG_MS);
    expect([digest('page'), stray].map(isHere)).toEqual([true, true]);
    await upload(manifestOf('page'));
    await at.clock.advance(LONG_MS);
    expect([digest('page'), stray].map(isHere)).toEqual([true, false]);
  });

  test('that is of a newer version keeps everything', async () => {
    const name = await uploadText('b8s-release 2\n');
    await declare(name);
    const stray = await uploadText('stray');
    await at.clock.advance(LONG_MS);
    expect(isHere(stray)).toBe(true);
    expect(events()[0]?.spec.message).toContain('line 1');
  });

  test('that only a spec names holds nothing up: it was never there', async () => {
    await at.apply(siteNamed('blog', { content: { release: digest('no such release') } }));
    const stray = await uploadText('stray');
    await at.clock.advance(LONG_MS);
    expect(isHere(stray)).toBe(false);
    expect(events()).toEqual([]);
  });

  test('for now, because the disk fails, is tried again', async () => {
    await publish('page');
    const stray = await uploadText('stray');
    const { read } = disk;
    disk.read = () => Promise.reject(new Error('input/output error'));
    await at.clock.advance(LONG_MS);
    expect(isHere(stray)).toBe(true);
    expect(events()).toEqual([]);
    disk.read = read;
    await at.clock.advance(LONG_MS);
    expect([digest('page'), stray].map(isHere)).toEqual([true, false]);
  });
});

test('a removal that hangs is not begun twice', async () => {
  await uploadText('page');
  let begun = 0;
  disk.remove = () => {
    begun += 1;
    return new Promise(() => undefined);
  };
  await at.clock.advance(2 * LONG_MS);
  expect(begun).toBe(1);
});

test('once nothing is unused nothing is read any more', async () => {
  await publish('page');
  await uploadText('stray');
  await at.clock.advance(2 * LONG_MS);
  let reads = 0;
  const { read } = disk;
  disk.read = (path) => {
    reads += 1;
    return read.call(disk, path);
  };
  await at.clock.advance(LONG_MS);
  expect(reads).toBe(0);
});
