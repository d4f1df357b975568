import { beforeEach, expect, test } from 'vitest';
import { blobPath, type Digest, digestOf } from '../../../runtime/content/digest.ts';
import { encodeManifest } from '../../../runtime/content/manifest.ts';
import { type MemoryDisk, memoryDisk } from '../../../runtime/disk/memory-disk.ts';
import { silentLog } from '../../../runtime/log.ts';
import { RULES_FILE_BYTES_MAX } from '../../../runtime/release-rules/release-rules.ts';
import { createEdge, type Edge } from '../edge.ts';

let disk: MemoryDisk;
let edge: Edge;
let damaged: Digest[];
let sequence: number;

beforeEach(() => {
  disk = memoryDisk();
  damaged = [];
  sequence = 0;
  edge = createEdge({
    ...{ disk, nodeName: 'london', log: silentLog },
    onDamaged: (blob) => damaged.push(blob),
  });
});

async function put(content: string | Uint8Array): Promise<Digest> {
  const bytes = Buffer.from(content);
  await disk.write(blobPath(digestOf(bytes)), bytes);
  return digestOf(bytes);
}

async function publish(files: Readonly<Record<string, string>>): Promise<Digest> {
  const listed = await Promise.all(
    Object.entries(files).map(async ([path, content]) => {
      const digest = await put(content);
      const sizeBytes = Buffer.byteLength(content);
      return { path, digest, sizeBytes, contentType: 'text/plain' };
    }),
  );
  return put(encodeManifest(listed));
}

async function switchTo(release: Digest) {
  sequence += 1;
  const named = { uid: 'u1', namespace: 'default', name: 'blog', hosts: ['blog.test'] };
  const rest = { notFoundPage: '', singlePageApp: false, headers: [], redirects: [] };
  const sites = [{ ...named, ...rest, release }];
  const [state] = await edge.apply(sequence, { sites, certificates: [], httpsPort: 443 });
  return state;
}

async function ask(path: string) {
  const request = { method: 'GET', path, host: 'blog.test', headers: {}, secure: true };
  const { status, headers } = await edge.handler(request);
  return { status, location: new Map(headers).get('location') };
}

test('rules come and go with their release', async () => {
  const one = await publish({ 'index.html': '1', _redirects: '/a /one 301' });
  const two = await publish({ 'index.html': '2', _redirects: '/a /two 301' });
  const none = await publish({ 'index.html': '3' });
  await switchTo(one);
  expect(await ask('/a')).toEqual({ status: 301, location: '/one' });
  await switchTo(two);
  expect(await ask('/a')).toEqual({ status: 301, location: '/two' });
  await switchTo(none);
  expect(await ask('/a')).toEqual({ status: 404, location: undefined });
  await switchTo(one);
  expect(await ask('/a')).toEqual({ status: 301, location: '/one' });
});

test('its lines that are skipped are told with the state of the site', async () => {
  const release = await publish({ _redirects: '/a', _headers: 'x' });
  const state = await switchTo(release);
  expect(state?.warning).toMatch(/^_redirects:1: .*; _headers:1: /u);
  expect(state?.problem).toBeUndefined();
  const good = await publish({ _redirects: '/a /b', _headers: '/*\n X: y' });
  expect(await switchTo(good)).not.toHaveProperty('warning');
});

test('a release whose rules cannot be read is not served in place of the one before', async () => {
  const one = await publish({ 'index.html': '1', _redirects: '/a /one 301' });
  const two = await publish({ 'index.html': '2', _headers: '/*\n  X-Frame-Options: DENY' });
  await switchTo(one);
  const rules = digestOf(Buffer.from('/*\n  X-Frame-Options: DENY'));
  await disk.write(blobPath(rules), Buffer.from('rotten'));
  const state = await switchTo(two);
  expect(state?.release).toBe(one);
  expect(state?.problem).toMatch(/^read _headers of the release: read blob .* has changed$/u);
  expect(damaged).toContain(rules);
  expect(await ask('/a')).toEqual({ status: 301, location: '/one' });
  // Once it has been fetched anew, the release is served.
  await put('/*\n  X-Frame-Options: DENY');
  expect(await switchTo(two)).toMatchObject({ release: two });
});

test('a file of rules that is too large is left alone, and never served', async () => {
  const text = '/a /b 301\n'.padEnd(RULES_FILE_BYTES_MAX + 1, '#');
  const state = await switchTo(await publish({ _redirects: text }));
  expect(state?.warning).toContain('more than 256 KiB, and is not read; shorten it');
  expect((await ask('/a')).status).toBe(404);
  expect((await ask('/_redirects')).status).toBe(404);
});

test('in a folder they are files like any other', async () => {
  await switchTo(await publish({ 'docs/_redirects': '/a /b 301', 'docs/_headers': 'x' }));
  expect((await ask('/docs/_redirects')).status).toBe(200);
  expect((await ask('/docs/_headers')).status).toBe(200);
  expect((await ask('/a')).status).toBe(404);
});
