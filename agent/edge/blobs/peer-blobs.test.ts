import { beforeEach, describe, expect, test } from 'vitest';
import { blobPath, type Digest, digestOf, partPath } from '../../../runtime/content/digest.ts';
import {
  GRANT_S_MAX,
  grantKey,
  PEER_SERVER_NAME,
  peerPath,
  severalPath,
} from '../../../runtime/content/peer-url.ts';
import { HELD_HEADER } from '../../../runtime/content/peers.ts';
import { HEADS_HEADER } from '../../../runtime/content/small-blobs.ts';
import { type MemoryDisk, memoryDisk } from '../../../runtime/disk/memory-disk.ts';
import type { HttpAnswer, HttpRequest } from '../../../runtime/http.ts';
import { release } from '../../content/content.fixture.ts';
import { PEER_UPLOADS_MAX, PeerBlobs } from './peer-blobs.ts';

const edgeKey = Buffer.alloc(32, 7);
const nowS = 1_790_000_000;
const LARGE = 'large '.repeat(100_000);
const site = release({ 'index.html': 'the page', 'film.mp4': LARGE });
const page = digestOf(Buffer.from('the page'));
const film = digestOf(Buffer.from(LARGE));
const certificate = { names: [PEER_SERVER_NAME], fingerprint: 'f', chainPem: '', keyPem: '' };
let disk: MemoryDisk;
let blobs: PeerBlobs;

beforeEach(async () => {
  disk = memoryDisk();
  for (const [digest, bytes] of site.blobs) await disk.write(blobPath(digest), bytes);
  blobs = new PeerBlobs({ disk, clock: { nowMs: () => nowS * 1000 } });
  blobs.replace({ key: edgeKey, certificate });
});

function path(digest: Digest, more: { list?: Digest; untilS?: number } = {}): string {
  const grant = { list: site.digest, node: 'paris', untilS: nowS + 60, ...more };
  return peerPath({ ...grant, key: grantKey(edgeKey, grant) }, digest);
}

function get(target: string, more: Partial<HttpRequest> = {}): Promise<HttpAnswer> {
  const asked = { method: 'GET', path: target, host: PEER_SERVER_NAME, headers: {}, secure: true };
  return blobs.answer({ ...asked, ...more });
}

async function bytesOf({ body }: HttpAnswer): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  if (body === undefined) return Buffer.alloc(0);
  if (typeof body === 'string' || body instanceof Uint8Array) return Buffer.from(body);
  for await (const piece of body) pieces.push(Uint8Array.from(piece));
  return Buffer.concat(pieces);
}

const headerOf = ({ headers }: HttpAnswer, wanted: string): string | undefined =>
  headers.find(([name]) => name === wanted)?.[1];

describe('another node with a signed URL', () => {
  test.each([
    ['a small file', page, 'the page'],
    ['a large file', film, LARGE],
  ])('gets %s', async (_what, digest, text) => {
    const answer = await get(path(digest));
    expect(answer.status).toBe(200);
    expect(headerOf(answer, 'content-length')).toBe(String(text.length));
    expect(headerOf(answer, 'cache-control')).toBe('no-store');
    expect((await bytesOf(answer)).toString()).toBe(text);
  });

  test('gets the list itself', async () => {
    const answer = await get(path(site.digest));
    expect(digestOf(await bytesOf(answer))).toBe(site.digest);
  });

  test.each([
    [page, 'the page'],
    [film, LARGE],
  ])('goes on in the middle (%s)', async (digest, text) => {
    const answer = await get(path(digest), { headers: { range: 'bytes=5-' } });
    expect(answer.status).toBe(206);
    expect(headerOf(answer, 'content-range')).toBe(`bytes 5-${text.length - 1}/${text.length}`);
    expect((await bytesOf(answer)).toString()).toBe(text.slice(5));
    const behind = await get(path(digest), { headers: { range: `bytes=${text.length + 1}-` } });
    expect(behind.status).toBe(416);
  });

  test('is told to come again for what is not here yet, and how much of it is', async () => {
    await disk.remove(blobPath(film));
    const absent = await get(path(film));
    expect([absent.status, headerOf(absent, HELD_HEADER)]).toEqual([503, '0']);
    await disk.write(partPath(film), Buffer.alloc(4711));
    expect(headerOf(await get(path(film)), HELD_HEADER)).toBe('4711');
    await disk.remove(blobPath(page));
    expect((await get(path(page))).status).toBe(503);
  });

  test('is told to come again while the list is not here', async () => {
    await disk.remove(blobPath(site.digest));
    const answer = await get(path(page));
    expect([answer.status, headerOf(answer, 'retry-after')]).toEqual([503, '1']);
    for (const [digest, bytes] of site.blobs) await disk.write(blobPath(digest), bytes);
    expect((await get(path(page))).status).toBe(200);
  });

  test('gets nothing that the list does not name, though it is here', async () => {
    const other = Buffer.from('of another site');
    await disk.write(blobPath(digestOf(other)), other);
    expect((await get(path(digestOf(other)))).status).toBe(404);
  });

  test('gets nothing by a list that is none, but that itself', async () => {
    const list = page;
    expect((await get(path(film, { list }))).status).toBe(404);
    expect((await get(path(page, { list }))).status).toBe(200);
  });

  test('gets nothing with HEAD, over plain HTTP, or once the key is another', async () => {
    expect((await get(path(page), { method: 'HEAD' })).status).toBe(405);
    expect((await get(path(page), { secure: false })).status).toBe(404);
    blobs.replace({ key: Buffer.alloc(32, 8), certificate });
    expect((await get(path(page))).status).toBe(403);
    blobs.replace(undefined);
    expect((await get(path(page))).status).toBe(404);
  });
});

describe('another node that asks for several', () => {
  const about = digestOf(Buffer.from('about us'));
  const small = release({ 'index.html': 'the page', 'about.html': 'about us', 'film.mp4': LARGE });
  const stranger = digestOf(Buffer.from('of another site'));

  beforeEach(async () => {
    for (const [digest, bytes] of small.blobs) await disk.write(blobPath(digest), bytes);
    await disk.write(blobPath(stranger), Buffer.from('of another site'));
  });

  function several(...digests: readonly Digest[]): Promise<HttpAnswer> {
    const grant = { list: small.digest, node: 'paris', untilS: nowS + 60 };
    return get(severalPath({ ...grant, key: grantKey(edgeKey, grant) }, digests));
  }

  test('gets what is here, one behind the other, and is told of the others', async () => {
    const answer = await several(page, stranger, film, about);
    expect(answer.status).toBe(200);
    expect(headerOf(answer, HEADS_HEADER)).toBe('8,NOT_FOUND,TOO_LARGE,8');
    expect(headerOf(answer, 'content-length')).toBe('16');
    expect(headerOf(answer, 'cache-control')).toBe('no-store');
    expect((await bytesOf(answer)).toString()).toBe('the pageabout us');
    await disk.remove(blobPath(page));
    const later = await several(page, about);
    expect(headerOf(later, HEADS_HEADER)).toBe('NOT_YET,8');
    expect((await bytesOf(later)).toString()).toBe('about us');
  });

  test('is told to come again while none of them is here, nor the list', async () => {
    for (const digest of [page, about]) await disk.remove(blobPath(digest));
    const absent = await several(page, about);
    expect([absent.status, headerOf(absent, HELD_HEADER)]).toEqual([503, '0']);
    await disk.remove(blobPath(small.digest));
    expect((await several(page, about)).status).toBe(503);
  });

  test('gets no more than one answer has room for', async () => {
    const texts = ['x', 'y', 'z'].map((letter) => letter.repeat(200_000));
    const wide = release({ x: texts[0] ?? '', y: texts[1] ?? '', z: texts[2] ?? '' });
    for (const [digest, bytes] of wide.blobs) await disk.write(blobPath(digest), bytes);
    const grant = { list: wide.digest, node: 'paris', untilS: nowS + 60 };
    const digests = texts.map((text) => digestOf(Buffer.from(text)));
    const answer = await get(severalPath({ ...grant, key: grantKey(edgeKey, grant) }, digests));
    expect(headerOf(answer, HEADS_HEADER)).toBe('200000,200000,TOO_LARGE');
    expect(await bytesOf(answer)).toHaveLength(400_000);
  });
});

describe('whoever has no such URL', () => {
  const right = path(page);
  test.each([
    ['that has expired', path(page, { untilS: nowS })],
    ['that lasts for too long', path(page, { untilS: nowS + GRANT_S_MAX + 1 })],
    ['of another blob', right.replace(page.slice(7), film.slice(7))],
    ['with another signature', right.replace(/sig=.{8}/u, 'sig=00000000')],
    ['for another node', right.replace('for=paris', 'for=rome')],
    ['out of the folder', right.replace(page.slice(7), '../../../identity')],
    ['out of the folder, escaped', right.replace(page.slice(7), '%2e%2e%2fidentity')],
    ['to the page of a site', '/index.html'],
    ['to the health of the node', '/.well-known/b8s/health'],
    ['without anything', '/'],
    ['that is none', '*'],
  ])('is refused with one %s', async (_what, target) => {
    const answer = await get(target);
    expect(answer.status).toBe(403);
    expect((await bytesOf(answer)).toString()).not.toContain('the page');
  });
});

describe('with many at once', () => {
  test('those beyond the bound come again later, and have a place once others are done', async () => {
    const answers = await Promise.all(
      Array.from({ length: PEER_UPLOADS_MAX }, () => get(path(film))),
    );
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    const late = await get(path(page));
    expect([late.status, headerOf(late, HELD_HEADER)]).toEqual([503, undefined]);
    const [first, second, ...others] = answers;
    if (first === undefined || second === undefined) throw new Error('there are too few');
    expect((await bytesOf(first)).toString()).toBe(LARGE);
    // Its reader has gone before it has read anything.
    const { body } = second;
    if (typeof body !== 'object' || body instanceof Uint8Array) throw new Error('it is no stream');
    await body[Symbol.asyncIterator]().return?.();
    expect((await get(path(page))).status).toBe(200);
    const again = await Promise.all([get(path(film)), get(path(film)), get(path(film))]);
    expect(again.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([
      200, 200, 503,
    ]);
    for (const each of [...others, ...again]) await bytesOf(each);
  });

  test('a disk that fails costs the answer, and no place', async () => {
    const failing = new PeerBlobs({
      disk: {
        ...disk,
        read: () => Promise.reject(new Error('EIO')),
        stat: () => Promise.reject(new Error('EIO')),
      },
      clock: { nowMs: () => nowS * 1000 },
    });
    failing.replace({ key: edgeKey, certificate });
    blobs = failing;
    for (let count = 0; count < 2 * PEER_UPLOADS_MAX; count += 1)
      expect((await get(path(page))).status).toBe(503);
  });
});
