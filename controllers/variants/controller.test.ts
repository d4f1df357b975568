import { afterEach, beforeEach, expect, test } from 'vitest';
import type { BlobShelf } from '../../runtime/content/blob-shelf.ts';
import type { Compressor } from '../../runtime/content/compressor.ts';
import { type Digest, digestOf } from '../../runtime/content/digest.ts';
import { fakeCompressor } from '../../runtime/content/fake-compressor.ts';
import { encodeManifest } from '../../runtime/content/manifest.ts';
import { parseVariants } from '../../runtime/content/variants.ts';
import { RequestError } from '../../runtime/request-error.ts';
import { SCENE_NAMESPACE, type Scene, scene } from '../test-scene.ts';
import { variantsController } from './controller.ts';

const LONG = 'x'.repeat(1000);
const OTHER = 'y'.repeat(2000);
const NOISE = Array.from({ length: 300 }, (_, index) => String.fromCodePoint(index % 251)).join('');

let at: Scene;
let shelf: Map<string, Uint8Array>;
/** Digests of what was compressed, each once for its three codings. */
let compressed: string[];
/** How long the next compressions take. */
let tookMs: number;

beforeEach(async () => {
  at = await scene();
  shelf = new Map();
  compressed = [];
  tookMs = 0;
  sending = 'nothing';
});
afterEach(() => at.end());

/** What dom sends to nodes by now. */
let sending: 'nothing' | 'blobs';
const isSending = (): boolean => sending === 'blobs';

const blobs: BlobShelf = {
  sizeOf: async (digest) => shelf.get(digest)?.length,
  async read(digest) {
    const bytes = shelf.get(digest);
    if (bytes === undefined) throw new RequestError('NOT_FOUND', `no ${digest}`);
    return bytes;
  },
  async put(digest, chunks) {
    for await (const chunk of chunks) shelf.set(digest, chunk);
  },
};
const compressor: Compressor = {
  async compress(coding, bytes) {
    if (coding === 'br') {
      compressed.push(digestOf(bytes));
      if (tookMs > 0) await at.clock.sleep(tookMs, new AbortController().signal);
    }
    return fakeCompressor.compress(coding, bytes);
  },
};

const start = () =>
  at.start(
    variantsController({
      ...{ world: at.world, writer: at.writer, clock: at.clock, blobs, compressor },
      isSending,
    }),
  );
const digest = (text: string): Digest => digestOf(Buffer.from(text));

/** Puts a release of these files on the shelf, and declares it. */
async function publish(
  files: Readonly<Record<string, string>>,
  contentType = 'text/html',
): Promise<Digest> {
  const listed = Object.entries(files).map(([path, text]) => {
    shelf.set(digest(text), Buffer.from(text));
    return { path, digest: digest(text), sizeBytes: Buffer.from(text).length, contentType };
  });
  const manifest = encodeManifest(listed);
  const name = digestOf(manifest);
  shelf.set(name, manifest);
  await at.create('Release', name, { site: 'blog', files: 1, sizeBytes: 1 });
  return name;
}

const site = (release: string, spec: object = {}) =>
  at.create('Site', 'blog', { hosts: ['a.example.com'], content: { release }, ...spec });
const variants = (name: string) =>
  at.world.get('Release', { namespace: SCENE_NAMESPACE, name })?.status?.variants;
const indexOf = (name: string) => parseVariants(shelf.get(variants(name)?.index ?? '') ?? NONE);
const NONE = Buffer.from('b8s-variants 1\n');

test('what a Site serves is compressed once, noted, and then nothing is written (INV-2)', async () => {
  start();
  const name = await publish({ 'a.html': LONG, 'b.html': OTHER, 'same.html': LONG });
  expect(compressed).toEqual([]);
  await site(name);
  await at.clock.advance(1_000);
  expect(compressed).toEqual([digest(LONG), digest(OTHER)]);
  expect(variants(name)).toMatchObject({ done: 2, total: 2 });
  const forms = indexOf(name).get(digest(LONG)) ?? [];
  expect(forms.map(({ coding }) => coding)).toEqual(['br', 'zstd', 'gzip']);
  for (const form of forms) expect(shelf.get(form.digest)?.length).toBe(form.sizeBytes);
  expect(variants(name)?.savedBytes).toBeGreaterThan(2_900);
  const revision = await at.revision();
  await at.clock.advance(86_400_000);
  expect(await at.revision()).toBe(revision);
  expect(compressed).toHaveLength(2);
});

test.each([
  { when: 'no Site serves it', spec: undefined, files: { 'a.html': LONG } },
  { when: 'its Site does not want it', spec: { compression: 'off' }, files: { 'a.html': LONG } },
  { when: 'all is too short', spec: {}, files: { 'a.html': 'x'.repeat(255) } },
])('nothing is done when $when', async ({ spec, files }) => {
  start();
  const name = await publish(files);
  if (spec !== undefined) await site(name, spec);
  await at.clock.advance(10_000);
  expect(compressed).toEqual([]);
  expect(variants(name)).toBeUndefined();
});

test('while dom sends content to nodes it waits, but not for ever', async () => {
  start();
  sending = 'blobs';
  const name = await publish({ 'a.html': LONG, 'b.html': OTHER });
  await site(name);
  await at.clock.advance(5_000);
  expect(compressed).toEqual([]);
  sending = 'nothing';
  await at.clock.advance(1_000);
  expect(variants(name)).toMatchObject({ done: 2, total: 2 });

  sending = 'blobs';
  const next = await publish({ 'c.html': `${LONG}${OTHER}` });
  await at.configure('Site', 'blog', { content: { release: next } });
  await at.clock.advance(50_000);
  expect(compressed).toHaveLength(2);
  await at.clock.advance(20_000);
  expect(compressed).toHaveLength(3);
});

test('what does not become shorter has no forms, and is not tried again', async () => {
  start();
  const name = await publish({ 'a.html': NOISE });
  await site(name);
  await at.clock.advance(1_000);
  expect(indexOf(name).get(digest(NOISE))).toEqual([]);
  expect(variants(name)).toMatchObject({ done: 1, total: 1, savedBytes: 0 });
  await at.clock.advance(7_200_000);
  expect(compressed).toHaveLength(1);
});

test('types that are compressed in themselves are left out, unless a Site says otherwise', async () => {
  start();
  const name = await publish({ 'a.bin': LONG, 'b.wgsl': OTHER }, 'application/octet-stream');
  await site(name, { mimeTypes: { wgsl: 'text/wgsl' } });
  await at.clock.advance(1_000);
  expect(compressed).toEqual([digest(OTHER)]);
  await at.configure('Site', 'blog', { mimeTypes: { wgsl: 'text/wgsl', bin: 'text/plain' } });
  // A change of a Site's types counts at the next look.
  await at.clock.advance(3_600_000);
  expect(compressed).toEqual([digest(OTHER), digest(LONG)]);
  expect(variants(name)).toMatchObject({ done: 2, total: 2 });
});

test('what an earlier release had is not made again', async () => {
  start();
  const first = await publish({ 'a.html': LONG });
  await site(first);
  await at.clock.advance(1_000);
  const second = await publish({ 'a.html': LONG, 'b.html': OTHER });
  await at.configure('Site', 'blog', { content: { release: second } });
  await at.clock.advance(1_000);
  expect(compressed).toEqual([digest(LONG), digest(OTHER)]);
  expect([...indexOf(second).keys()].toSorted()).toEqual([digest(LONG), digest(OTHER)].toSorted());
});

test('what an earlier release had is there at once, however much is new', async () => {
  start();
  const first = await publish({ 'a.html': LONG });
  await site(first);
  await at.clock.advance(1_000);
  tookMs = 5_000;
  const large = Array.from({ length: 3 }, (_, index) => String(index).repeat(600_000));
  const second = await publish({ 'a.html': LONG, ...Object.fromEntries(large.entries()) });
  await at.configure('Site', 'blog', { content: { release: second } });
  await at.clock.advance(1_000);
  expect(variants(second)).toMatchObject({ done: 1, total: 4 });
  expect([...indexOf(second).keys()]).toEqual([digest(LONG)]);
  for (let second = 0; second < 30; second += 1) await at.clock.advance(1_000);
  expect(variants(second)).toMatchObject({ done: 4, total: 4 });
});

test('a form that went missing is made again; so is an index', async () => {
  start();
  const name = await publish({ 'a.html': LONG });
  await site(name);
  await at.clock.advance(1_000);
  const noted = variants(name);
  const [form] = indexOf(name).get(digest(LONG)) ?? [];
  shelf.delete(form?.digest ?? '');
  shelf.delete(noted?.index ?? '');
  await at.clock.advance(3_700_000);
  expect(shelf.has(form?.digest ?? '')).toBe(true);
  expect(shelf.has(noted?.index ?? '')).toBe(true);
  expect(variants(name)).toEqual(noted);
});

test('an index that went missing is there again before anybody forgets what it names', async () => {
  at.start(
    variantsController({
      ...{ world: at.world, writer: at.writer, clock: at.clock, blobs, compressor },
      lookAgainMs: 7_500,
    }),
  );
  const name = await publish({ 'a.html': LONG });
  await site(name);
  await at.clock.advance(1_000);
  const index = variants(name)?.index ?? '';
  expect(shelf.delete(index)).toBe(true);
  await at.clock.advance(8_000);
  expect(shelf.has(index)).toBe(true);
});

test('a form that is cleared away before it is noted is made again', async () => {
  start();
  const name = await publish({ 'a.html': LONG, 'b.html': OTHER });
  tookMs = 5_000;
  await site(name);
  await at.clock.advance(7_000);
  const form = digestOf(await fakeCompressor.compress('gzip', Buffer.from(LONG)));
  expect(shelf.delete(form)).toBe(true);
  for (let second = 0; second < 20; second += 1) await at.clock.advance(1_000);
  expect(variants(name)).toMatchObject({ done: 2, total: 2 });
  expect(shelf.has(form)).toBe(true);
});

test('a file that cannot be read holds up no other, and is tried again', async () => {
  start();
  const name = await publish({ 'a.html': LONG, 'b.html': OTHER });
  shelf.delete(digest(LONG));
  await site(name);
  await at.clock.advance(1_000);
  expect(variants(name)).toMatchObject({ done: 1, total: 2 });
  shelf.set(digest(LONG), Buffer.from(LONG));
  await at.clock.advance(660_000);
  expect(variants(name)).toMatchObject({ done: 2, total: 2 });
});

test.each([
  { when: 'its manifest is not here', spoil: (name: string) => shelf.delete(name) },
  { when: 'it is no manifest', spoil: (name: string) => shelf.set(name, Buffer.from('<html>')) },
])('a release waits when $when, and others do not', async ({ spoil }) => {
  start();
  const name = await publish({ 'a.html': LONG });
  const manifest = shelf.get(name) ?? NONE;
  spoil(name);
  await site(name);
  const other = await publish({ 'b.html': OTHER });
  await at.create('Site', 'docs', { hosts: ['b.example.com'], content: { release: other } });
  await at.clock.advance(1_000);
  expect(variants(other)).toMatchObject({ done: 1, total: 1 });
  expect(variants(name)).toBeUndefined();
  shelf.set(name, manifest);
  await at.clock.advance(660_000);
  expect(variants(name)).toMatchObject({ done: 1, total: 1 });
});

test('what takes long is noted on the way, and another dom goes on from there', async () => {
  start();
  const texts = Array.from({ length: 100 }, (_, index) => 'z'.repeat(300 + index));
  const name = await publish(
    Object.fromEntries(texts.map((text) => [`${text.length}.html`, text])),
  );
  tookMs = 1_000;
  await site(name);
  const small = await publish({ 'b.html': OTHER });
  await at.create('Site', 'docs', { hosts: ['b.example.com'], content: { release: small } });
  for (let second = 0; second < 50; second += 1) await at.clock.advance(1_000);
  // Another release had its turn between two of this one's.
  expect(variants(small)).toMatchObject({ done: 1, total: 1 });
  const noted = variants(name);
  expect(noted?.total).toBe(100);
  expect(noted?.done).toBeGreaterThan(20);
  expect(noted?.done).toBeLessThan(50);
  // That dom hangs from now on, and another one knows what was noted.
  tookMs = 1e9;
  await at.clock.advance(2_000);
  const before = compressed.length;
  tookMs = 0;
  start();
  for (let step = 0; step < 200; step += 1) await at.clock.advance(10);
  expect(variants(name)).toMatchObject({ done: 100, total: 100 });
  expect(compressed.length - before).toBe(100 - (noted?.done ?? 0));
});

test('a release that is gone, or let go of, is forgotten', async () => {
  start();
  const name = await publish({ 'a.html': LONG });
  await site(name);
  await at.clock.advance(1_000);
  await at.configure('Site', 'blog', { content: {} });
  await at.remove('Release', name);
  const revision = await at.revision();
  await at.clock.advance(86_400_000);
  expect(await at.revision()).toBe(revision);
});
