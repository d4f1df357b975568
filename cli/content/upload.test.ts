import { expect, test } from 'vitest';
import { digestOf } from '../../runtime/content/digest.ts';
import { virtualClock } from '../../runtime/test-clock.ts';
import { FakeApi } from '../testing/fake-api.ts';
import { type LocalRelease, releaseFile, releaseOf } from './release.ts';
import { uploadRelease } from './upload.ts';

const HOUR_MS = 3_600_000;
const PAGE = Buffer.from('page');
const OTHER = Buffer.from('other');
const SITE = { namespace: 'default', name: 'blog' };

/** A release of two files; reading each takes that long. */
function release(tookMs: number, clock: ReturnType<typeof virtualClock>): LocalRelease {
  const bytes = new Map([PAGE, OTHER].map((each) => [digestOf(each), each]));
  const files = [...bytes].map(([digest, each]) =>
    releaseFile(`${each}.html`, digest, each.length),
  );
  return releaseOf(files, {
    atOnce: 'one',
    async *blobs(missing) {
      for (const { digest } of missing) {
        await clock.advance(tookMs);
        const chunk = bytes.get(digest as ReturnType<typeof digestOf>) ?? Buffer.alloc(0);
        const chunks = (async function* () {
          yield chunk;
        })();
        yield { digest, sizeBytes: chunk.length, chunks, compression: 'none' };
      }
    },
  });
}

test.each([
  { whose: 'nobody’s', owners: [], applies: 0 },
  { whose: 'its own', owners: ['own'], applies: 0 },
  { whose: 'that of another site, which may be going', owners: ['other'], applies: 1 },
])('a release that is there already, and is $whose', async ({ owners, applies }) => {
  const clock = virtualClock();
  const api = new FakeApi(clock);
  const progress = { show: () => undefined, end: () => undefined };
  const target = { api, clock, progress, signal: new AbortController().signal };
  const site = { ...SITE, uid: 'own' };
  const pushed = release(0, clock);
  await uploadRelease(target, pushed, site);
  const ownerReferences = owners.map((uid) => ({ kind: 'Site', name: 'x', uid }));
  const get = api.get.bind(api);
  api.get = async (reference) => {
    const found = await get(reference);
    return { ...found, metadata: { ...found.metadata, ownerReferences } };
  };
  let applied = 0;
  const apply = api.apply.bind(api);
  api.apply = (object, options) => {
    applied += 1;
    expect(object.spec).toMatchObject({ site: SITE.name });
    return apply(object, options);
  };
  await uploadRelease(target, pushed, site);
  expect(applied).toBe(applies);
});

test.each([
  { when: 'within the hour', tookMs: 0.9 * HOUR_MS, questions: 1, isThere: false },
  { when: 'for longer', tookMs: 1.1 * HOUR_MS, questions: 3, isThere: true },
])('what dom cleared away while a push went on $when', async ({ tookMs, questions, isThere }) => {
  const clock = virtualClock();
  const api = new FakeApi(clock);
  api.blobs.set(digestOf(OTHER), OTHER);
  let asked = 0;
  const { findMissingBlobs, uploadBlobs } = api;
  api.findMissingBlobs = (digests) => {
    if (digests.includes(digestOf(PAGE))) asked += 1;
    return findMissingBlobs.call(api, digests);
  };
  let uploads = 0;
  api.uploadBlobs = async (blobs) => {
    await uploadBlobs.call(api, blobs);
    // As nothing has named it for long.
    if (uploads === 0) api.blobs.delete(digestOf(OTHER));
    uploads += 1;
  };
  const progress = { show: () => undefined, end: () => undefined };
  const { signal } = new AbortController();
  await uploadRelease({ api, clock, progress, signal }, release(tookMs, clock), SITE);
  expect(asked).toBe(questions);
  expect(api.blobs.has(digestOf(OTHER))).toBe(isThere);
});
