import { expect, test } from 'vitest';
import { blobPath, digestOf } from '../../../runtime/content/digest.ts';
import { encodeVariants } from '../../../runtime/content/variants.ts';
import { makeRelease } from '../../load/content.ts';
import { object, Scene } from '../scene.fixture.ts';
import { DOM_BLOB_GRACE_MS, domBlobsCheck } from './dom-blobs.ts';

const RELEASE = makeRelease('blog', 1, {
  integer: () => 0,
} as unknown as Parameters<typeof makeRelease>[2]);
const [PAGE = RELEASE.digest] = RELEASE.blobs.map(([digest]) => digest);
const FORM = digestOf(Buffer.from('form'));
const INDEX_BYTES = encodeVariants(
  new Map([[PAGE, [{ coding: 'br', digest: FORM, sizeBytes: 4 }]]]),
);
const INDEX = digestOf(INDEX_BYTES);
const STRAY = digestOf(Buffer.from('stray'));
const AWAITED = digestOf(Buffer.from('of a commit that cannot be applied yet'));
const VARIANTS = { index: INDEX, done: 1, total: 1, savedBytes: 1 };

function world(files: readonly (readonly [string, Uint8Array])[] = []): Scene {
  const scene = new Scene();
  const disk = new Map([...files, [blobPath(INDEX), INDEX_BYTES] as const]);
  scene.watch(
    domBlobsCheck(scene.ports, {
      history: scene.history,
      disk: (host) => (host === 'dom' ? disk : undefined),
      cleaners: () => ['dom'],
      followed: () => new Set([AWAITED]),
    }),
  );
  scene.tell((check) => check.published?.('blog', RELEASE));
  scene.put(object('Release', RELEASE.digest, { status: { variants: VARIANTS } }));
  scene.nowMs = 2 * DOM_BLOB_GRACE_MS;
  return scene;
}

test.each([
  { what: 'the list of files of a Release', digest: RELEASE.digest },
  { what: 'one of its files', digest: PAGE },
  { what: 'the index of its compressed forms', digest: INDEX },
  { what: 'one of these', digest: FORM },
])('$what is not thrown away', ({ digest }) => {
  const scene = world();
  scene.tell((check) => check.removed?.('dom', blobPath(digest)));
  expect(scene.numbers).toEqual([8]);
});

test('what nothing names may go, and what a node has is its own', () => {
  const scene = world();
  scene.tell((check) => check.removed?.('dom', blobPath(STRAY)));
  scene.tell((check) => check.removed?.('dom', `uploads/${STRAY}-1`));
  scene.tell((check) => check.removed?.('london', blobPath(PAGE)));
  expect(scene.violations).toEqual([]);
});

test.each([
  { agoMs: 1_000, numbers: [8] },
  { agoMs: DOM_BLOB_GRACE_MS, numbers: [] },
])('somebody counted on it $agoMs ms ago', ({ agoMs, numbers }) => {
  const scene = world();
  scene.tell((check) => check.assured?.(STRAY, scene.nowMs - agoMs));
  scene.tell((check) => check.removed?.('dom', blobPath(STRAY)));
  expect(scene.numbers).toEqual(numbers);
});

test('in the end nothing lies there that nothing names', () => {
  const clean = world([PAGE, AWAITED].map((digest) => [blobPath(digest), Buffer.alloc(0)]));
  clean.tell((check) => check.lingered?.());
  expect(clean.violations).toEqual([]);
  const scene = world([[blobPath(STRAY), Buffer.alloc(0)]]);
  scene.tell((check) => check.lingered?.());
  expect(scene.numbers).toEqual([7]);
});
