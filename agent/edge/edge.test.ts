import { beforeEach, expect, test } from 'vitest';
import { blobPath, type Digest, digestOf } from '../../runtime/content/digest.ts';
import { encodeManifest } from '../../runtime/content/manifest.ts';
import { encodeVariants } from '../../runtime/content/variants.ts';
import { type MemoryDisk, memoryDisk } from '../../runtime/disk/memory-disk.ts';
import type { HttpAnswer } from '../../runtime/http.ts';
import { silentLog } from '../../runtime/log.ts';
import { createMemoryCache } from './blobs/memory-cache.ts';
import { createEdge, type Edge } from './edge.ts';
import type { EdgeSite, EdgeVariants } from './snapshot.ts';

const TEXT = '0123456789'.repeat(1000);
const BR = 'short'.repeat(100);

let disk: MemoryDisk;
let edge: Edge;
let damaged: Digest[];
let release: Digest;
let variants: EdgeVariants;
let sequence: number;

beforeEach(async () => {
  disk = memoryDisk();
  damaged = [];
  sequence = 0;
  // Larger files are streamed: both ways are taken.
  const cache = createMemoryCache({ budgetBytes: 100_000, fileBytesMax: 1_000 });
  edge = createEdge({
    ...{ disk, nodeName: 'london', log: silentLog, cache },
    onDamaged: (blob) => damaged.push(blob),
  });
  const source = await put(TEXT);
  const form = await put(BR);
  const listed = { path: 'index.html', digest: source, sizeBytes: TEXT.length };
  release = await put(encodeManifest([{ ...listed, contentType: 'text/html' }]));
  const index = await put(
    encodeVariants(new Map([[source, [{ coding: 'br', digest: form, sizeBytes: BR.length }]]])),
  );
  variants = { release, index, absent: [] };
});

async function put(content: string | Uint8Array): Promise<Digest> {
  const bytes = Buffer.from(content);
  await disk.write(blobPath(digestOf(bytes)), bytes);
  return digestOf(bytes);
}

function apply(...sites: readonly Partial<EdgeSite>[]) {
  sequence += 1;
  const full = sites.map((each, index): EdgeSite => {
    const named = {
      uid: `u${index}`,
      namespace: 'default',
      name: 'blog',
      hosts: [`${index}.test`],
    };
    const rest = { notFoundPage: '', singlePageApp: false, headers: [], redirects: [] };
    return { ...named, release, ...rest, ...each };
  });
  return edge.apply(sequence, { sites: full, certificates: [], httpsPort: 443 });
}

async function get(headers: Record<string, string> = {}, host = '0.test') {
  const request = { method: 'GET', path: '/', host, headers, secure: true };
  const answer = await edge.handler(request);
  const fields = new Map(answer.headers);
  return { ...answer, coding: fields.get('content-encoding'), fields, text: await textOf(answer) };
}

async function textOf({ body }: HttpAnswer): Promise<string> {
  if (body === undefined || typeof body === 'string') return body ?? '';
  const pieces: Uint8Array[] = [];
  if (body instanceof Uint8Array) pieces.push(body);
  else for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

const BROTLI = { 'accept-encoding': 'br' };

test('forms are served from when the snapshot names them, and no longer', async () => {
  await apply({});
  expect(await get(BROTLI)).toMatchObject({ coding: undefined, text: TEXT });
  await apply({ variants: [variants] });
  expect(await get(BROTLI)).toMatchObject({ coding: 'br', text: BR });
  expect(await get()).toMatchObject({ coding: undefined, text: TEXT });
  await apply({});
  expect(await get(BROTLI)).toMatchObject({ coding: undefined, text: TEXT });
});

test('sites of one release have forms or not, each by itself', async () => {
  await apply({ variants: [variants] }, {}, { variants: [variants] });
  expect((await get(BROTLI, '0.test')).coding).toBe('br');
  expect((await get(BROTLI, '1.test')).coding).toBeUndefined();
  expect((await get(BROTLI, '2.test')).coding).toBe('br');
});

test('a form that is said to be absent is not sent', async () => {
  await apply({ variants: [{ ...variants, absent: [digestOf(Buffer.from(BR))] }] });
  expect(await get(BROTLI)).toMatchObject({ coding: undefined, text: TEXT });
});

test.each([
  { when: 'is not here', spoil: (path: string) => disk.remove(path) },
  { when: 'has rotted', spoil: async (path: string) => disk.rot(path, 3) },
])('where the index $when, files are served as they are, until it is here again', async (it) => {
  await it.spoil(blobPath(variants.index));
  const states = await apply({ variants: [variants] });
  expect(states).toEqual([{ uid: 'u0', release }]);
  expect(await get(BROTLI)).toMatchObject({ status: 200, coding: undefined, text: TEXT });
  expect(damaged).toEqual([variants.index]);
});

test('what is no index is none', async () => {
  await apply({ variants: [{ ...variants, index: release }] });
  expect(await get(BROTLI)).toMatchObject({ status: 200, coding: undefined, text: TEXT });
});

test('a form that cannot be read costs the coding, and not the answer', async () => {
  await apply({ variants: [variants] });
  disk.rot(blobPath(digestOf(Buffer.from(BR))), 3);
  const page = await get({ ...BROTLI, 'if-none-match': '"other"' });
  expect(page).toMatchObject({ status: 200, coding: undefined, text: TEXT });
  expect(page.fields.get('vary')).toBe('accept-encoding');
  expect(damaged).toEqual([digestOf(Buffer.from(BR))]);
});

test('only an answer in the turn of its request may lie in memory that is used again', async () => {
  await apply({ variants: [variants] });
  disk.rot(blobPath(digestOf(Buffer.from(BR))), 3);
  const lent: boolean[] = [];
  const reader = {
    read: (path: string, how?: object) => {
      lent.push(how !== undefined);
      return disk.files().get(path);
    },
    ...{ stream: disk.stream.bind(disk), stat: disk.stat.bind(disk) },
  };
  const cache = createMemoryCache({ budgetBytes: 0, fileBytesMax: 20_000 });
  const other = createEdge({ disk: reader, nodeName: 'london', log: silentLog, cache });
  const site = { uid: 'u0', namespace: 'default', name: 'blog', hosts: ['0.test'], release };
  const rules = { notFoundPage: '', singlePageApp: false, headers: [], redirects: [] };
  const sites = [{ ...site, ...rules, variants: [variants] }];
  await other.apply(1, { sites, certificates: [], httpsPort: 443 });
  lent.length = 0;
  const request = {
    method: 'GET',
    path: '/',
    host: '0.test',
    secure: true,
    copiedBytesMax: 65_536,
  };
  await other.handler({ ...request, headers: {} });
  // The form is lent, is damaged, and the file as it is comes later.
  await other.handler({ ...request, headers: BROTLI });
  await other.handler({ ...request, headers: {}, copiedBytesMax: TEXT.length - 1 });
  expect(lent).toEqual([true, true, false, false]);
});

test('several ranges come as one body, whether from memory or from disk', async () => {
  await apply({});
  const page = await get({ range: 'bytes=0-3,-5,5000-5001' });
  expect(page.status).toBe(206);
  expect(page.fields.get('content-length')).toBe(String(page.text.length));
  const boundary = /boundary=(?<it>\S+)/u.exec(page.fields.get('content-type') ?? '')?.groups?.[
    'it'
  ];
  const parts = page.text.split(`--${boundary}`).slice(1, -1);
  expect(parts.map((part) => part.split('\r\n\r\n')[1])).toEqual([
    '0123\r\n',
    '56789\r\n',
    '01\r\n',
  ]);
});

test('ranges of a file that cannot be read are an error that may pass', async () => {
  await apply({});
  await disk.remove(blobPath(digestOf(Buffer.from(TEXT))));
  expect(await get({ range: 'bytes=0-3,-5' })).toMatchObject({ status: 503 });
});
