import { beforeEach, expect, test } from 'vitest';
import { blobPath, type Digest, digestOf } from '../../runtime/content/digest.ts';
import { encodeVariants } from '../../runtime/content/variants.ts';
import { type MemoryDisk, memoryDisk } from '../../runtime/disk/memory-disk.ts';
import { silentLog } from '../../runtime/log.ts';
import { type VirtualClock, virtualClock } from '../../runtime/test-clock.ts';
import { desired, type PlayedFault, playedSource, release } from './content.fixture.ts';
import { HELPFUL_FETCHES_MAX } from './fetch-pool.ts';
import { COLLECT_GRACE_MS } from './plan.ts';
import { type ContentReconciler, createContentReconciler } from './reconciler.ts';

const PAGE = 'the page '.repeat(50);
const site = release({ 'index.html': PAGE });
const br = Buffer.from('the page in br');
const gzip = Buffer.from('the page in gzip');
const index = encodeVariants(
  new Map([
    [
      digestOf(Buffer.from(PAGE)),
      [
        { coding: 'br', digest: digestOf(br), sizeBytes: br.length },
        { coding: 'gzip', digest: digestOf(gzip), sizeBytes: gzip.length },
      ],
    ],
  ]),
);
const INDEX = digestOf(index);
const WANTED = desired({ releases: [site.digest], variants: [INDEX] });

let disk: MemoryDisk;
let clock: VirtualClock;
let content: ContentReconciler;
let source: ReturnType<typeof playedSource>;
/** Of dom. */
let blobs: Map<Digest, Uint8Array>;
let fault: (digest: Digest) => PlayedFault;

beforeEach(() => {
  disk = memoryDisk();
  clock = virtualClock();
  fault = () => ({});
  blobs = new Map([...site.blobs, ...[index, br, gzip].map((each) => named(each))]);
  source = playedSource(blobs, (digest) => fault(digest));
  const random = { next: () => 0.5, bytes: (count: number) => new Uint8Array(count) };
  content = createContentReconciler({
    ...{ disk, clock, random, log: silentLog, source },
    onChange: () => undefined,
  });
});

function named(bytes: Uint8Array): [Digest, Uint8Array] {
  return [digestOf(bytes), bytes];
}

async function running(body: () => Promise<void>): Promise<void> {
  const over = new AbortController();
  const run = content.run(over.signal);
  await body();
  over.abort(new Error('stop'));
  await clock.advance(0);
  await run;
}

async function pass(ms: number): Promise<void> {
  for (let leftMs = ms; leftMs > 0; leftMs -= 500) await clock.advance(500);
}

const variants = () => Object.fromEntries(content.state().variants);

test('the forms are fetched after the release, and used once they are here', () =>
  running(async () => {
    content.want(WANTED);
    await pass(5_000);
    expect(variants()).toEqual({ [INDEX]: [] });
    const asked = source.asked.map(({ digest }) => digest);
    const forms = [INDEX, digestOf(br), digestOf(gzip)];
    expect(asked.filter((each) => forms.includes(each))).toEqual(forms);
    expect(asked.indexOf(INDEX)).toBeGreaterThan(asked.indexOf(site.digest));
  }));

test('a node serves a release without them, whatever befalls them', () =>
  running(async () => {
    fault = (digest) => (digest === INDEX ? { wrong: 'evil' } : {});
    content.want(WANTED);
    await pass(5_000);
    expect([...content.state().verified]).toEqual([site.digest]);
    expect(content.state().errors.size).toBe(0);
    expect(variants()).toEqual({});
  }));

test('one that cannot be had holds up no other, and is asked for less and less', () =>
  running(async () => {
    fault = (digest) => (digest === digestOf(br) ? { wrong: 'evil' } : {});
    content.want(WANTED);
    await pass(5_000);
    expect(variants()).toEqual({ [INDEX]: [digestOf(br)] });
    const tries = () => source.asked.filter(({ digest }) => digest === digestOf(br)).length;
    const before = tries();
    await pass(600_000);
    expect(tries() - before).toBeLessThan(12);
    fault = () => ({});
    content.retrySoon();
    await pass(5_000);
    expect(variants()).toEqual({ [INDEX]: [] });
  }));

test('one that rots is left out until it is here again', () =>
  running(async () => {
    content.want(WANTED);
    await pass(5_000);
    fault = () => ({ hang: true });
    disk.rot(blobPath(digestOf(gzip)), 3);
    content.suspect(digestOf(gzip));
    await pass(10_000);
    expect(variants()).toEqual({ [INDEX]: [digestOf(gzip)] });
    fault = () => ({});
    await pass(60_000);
    expect(variants()).toEqual({ [INDEX]: [] });
  }));

test('an index that rots is fetched again', () =>
  running(async () => {
    content.want(WANTED);
    await pass(5_000);
    disk.rot(blobPath(INDEX), 3);
    content.suspect(INDEX);
    await pass(60_000);
    expect(variants()).toEqual({ [INDEX]: [] });
    expect(source.asked.filter(({ digest }) => digest === INDEX)).toHaveLength(2);
  }));

test('what is no index names nothing', () =>
  running(async () => {
    content.want(desired({ releases: [site.digest], variants: [site.digest] }));
    await pass(5_000);
    expect(variants()).toEqual({ [site.digest]: [] });
    expect([...content.state().verified]).toEqual([site.digest]);
  }));

test('forms that nobody wants any more are collected after the grace', () =>
  running(async () => {
    content.want(WANTED);
    await pass(5_000);
    content.want(desired({ releases: [site.digest] }));
    await pass(COLLECT_GRACE_MS - 10_000);
    expect(disk.files().has(blobPath(digestOf(br)))).toBe(true);
    await pass(30_000);
    for (const bytes of [index, br, gzip])
      expect(disk.files().has(blobPath(digestOf(bytes)))).toBe(false);
    expect([...content.state().verified]).toEqual([site.digest]);
  }));

test('after a start, they are used without a word of dom', async () => {
  await running(async () => {
    content.want(WANTED);
    await pass(5_000);
  });
  fault = () => ({ hang: true });
  const again = createContentReconciler({
    ...{ disk, clock, random: { next: () => 0.5, bytes: (count) => new Uint8Array(count) } },
    ...{ log: silentLog, source },
    onChange: () => undefined,
  });
  again.want(WANTED);
  expect([...(await again.look()).variants]).toEqual([[INDEX, []]]);
});

test('however many forms are on their way, what is needed finds room', () =>
  running(async () => {
    const forms = Array.from({ length: 40 }, (_, number) => {
      const digest = digestOf(Buffer.from(`form ${number}`));
      return [digest, [{ coding: 'br', digest, sizeBytes: 7 }]] as const;
    });
    const many = encodeVariants(new Map(forms));
    const names = new Set(forms.map(([digest]) => digest));
    blobs.set(digestOf(many), many);
    // Each of the forms hangs.
    fault = (digest) => (names.has(digest) ? { hang: true } : {});
    content.want(desired({ variants: [digestOf(many)] }));
    await pass(5_000);
    expect(source.busiest()).toBe(HELPFUL_FETCHES_MAX);
    content.want(desired({ releases: [site.digest], variants: [digestOf(many)] }));
    await pass(5_000);
    expect([...content.state().verified]).toEqual([site.digest]);
  }));

test('where a release does not fit beside them, they make room for it', () =>
  running(async () => {
    content.want(WANTED);
    await pass(5_000);
    const used = [...disk.files().values()].reduce((sum, bytes) => sum + bytes.length, 0);
    const next = release({ 'index.html': PAGE, n: 'n' });
    for (const [digest, bytes] of next.blobs) blobs.set(digest, bytes);
    const more = [...next.blobs].filter(([digest]) => !site.blobs.has(digest));
    const moreBytes = more.reduce((sum, [, bytes]) => sum + bytes.length, 0);
    disk.limit(used + moreBytes - 10);
    content.want(desired({ releases: [site.digest, next.digest], variants: [INDEX] }));
    await pass(30_000);
    expect([...content.state().verified]).toEqual([site.digest, next.digest].toSorted());
    // Then they are fetched again, as far as there is room: the release stays.
    await pass(60_000);
    expect([...content.state().verified]).toEqual([site.digest, next.digest].toSorted());
    disk.limit(Number.POSITIVE_INFINITY);
    await pass(1_200_000);
    expect(variants()).toEqual({ [INDEX]: [] });
  }));
