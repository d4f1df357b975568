import { beforeEach, expect, test } from 'vitest';
import { blobPath, type Digest, digestOf } from '../../../runtime/content/digest.ts';
import { encodeManifest } from '../../../runtime/content/manifest.ts';
import { type MemoryDisk, memoryDisk } from '../../../runtime/disk/memory-disk.ts';
import { silentLog } from '../../../runtime/log.ts';
import { createEdge, type Edge } from '../edge.ts';
import { ADDRESSES_MAX, KNOWN_MAX, WAITING_MAX, WRONG_AGAIN_MS, WRONG_MAX } from '../gate.ts';
import type { EdgeAuth, EdgeSite } from '../snapshot.ts';

let disk: MemoryDisk;
let edge: Edge;
let release: Digest;
let sequence: number;
let nowMs: number;
let hashed: string[];
let isHeld: Promise<void> | undefined;

/** Right is what the hash ends with. */
const hasher = {
  async verify(password: string, hash: string): Promise<boolean> {
    hashed.push(password);
    await isHeld;
    return hash.endsWith(`$${password}`);
  },
};

const AUTH: EdgeAuth = {
  realm: 'staff "only"\r\n',
  paths: ['/*'],
  hashByUser: new Map([
    ['ann', 'h1$open'],
    ['bob', 'h2$sesame:\u00e9'],
  ]),
};

beforeEach(async () => {
  disk = memoryDisk();
  sequence = 0;
  nowMs = 1_000_000;
  hashed = [];
  isHeld = undefined;
  const clock = { monotonicMs: () => nowMs };
  edge = createEdge({ disk, nodeName: 'london', log: silentLog, gate: { hasher, clock } });
  const paths = ['index.html', 'admin.html', 'private/index.html', 'private/a.js', '404.html'];
  const files = await Promise.all(
    paths.map(async (path) => {
      const digest = await put(path);
      return { path, digest, sizeBytes: path.length, contentType: 'text/html' };
    }),
  );
  release = await put(encodeManifest(files));
  await serve({ auth: AUTH });
});

async function put(content: string | Uint8Array): Promise<Digest> {
  const bytes = Buffer.from(content);
  await disk.write(blobPath(digestOf(bytes)), bytes);
  return digestOf(bytes);
}

async function serve(site: Partial<EdgeSite>): Promise<void> {
  const plan: EdgeSite = {
    ...{ uid: 'u1', namespace: 'default', name: 'blog', hosts: ['blog.test'], release },
    ...{ notFoundPage: '404.html', singlePageApp: false, headers: [], redirects: [], ...site },
  };
  sequence += 1;
  await edge.apply(sequence, { sites: [plan], certificates: [], httpsPort: 443 });
}

async function ask(
  path: string,
  { as, address = '192.0.2.1' }: { readonly as?: string; readonly address?: string } = {},
) {
  const authorization =
    as === undefined ? undefined : `Basic ${Buffer.from(as).toString('base64')}`;
  const headers = { authorization };
  const request = { method: 'GET', path, host: 'blog.test', headers, secure: true, address };
  const answer = await edge.handler(request);
  return { ...answer, fields: new Map(answer.headers) };
}

const statusOf = async (...parts: Parameters<typeof ask>) => (await ask(...parts)).status;

test('who has no password is asked for one (RFC 7617 §2)', async () => {
  const { status, fields, body } = await ask('/');
  expect(status).toBe(401);
  expect(fields.get('www-authenticate')).toBe('Basic realm="staff ?only???", charset="UTF-8"');
  expect(fields.get('cache-control')).toBe('no-store');
  expect(body).toContain('401 Unauthorized');
  expect(hashed).toEqual([]);
});

test.each([
  { as: 'ann:open', status: 200 },
  { as: 'bob:sesame:\u00e9', status: 200 },
  { as: 'ann:wrong', status: 401 },
  { as: 'ann:', status: 401 },
  { as: 'bob:open', status: 401 },
  { as: 'eve:open', status: 401 },
  { as: ':open', status: 401 },
  { as: 'ann', status: 401 },
  { as: '__proto__:open', status: 401 },
  { as: 'ann:open\0', status: 401 },
  { as: `ann:${'x'.repeat(2000)}`, status: 401 },
])('$as answers $status', async ({ as, status }) => {
  expect(await statusOf('/', { as })).toBe(status);
  // Once more, when it is known.
  expect(await statusOf('/', { as })).toBe(status);
});

test('a user that there is not takes as long as one that there is', async () => {
  await ask('/', { as: 'eve:guess' });
  expect(hashed).toEqual(['guess']);
});

test('a page of many files costs one hash, also while it is looked at', async () => {
  const as = 'ann:open';
  const all = await Promise.all(
    Array.from({ length: 40 }, () => statusOf('/private/a.js', { as })),
  );
  expect(new Set(all)).toEqual(new Set([200]));
  expect(await statusOf('/', { as })).toBe(200);
  expect(hashed).toEqual(['open']);
});

test('what a password guards is nobody else’s to keep, whatever rules say', async () => {
  const headers = [
    { path: '/private/*', name: 'Cache-Control', value: 'public, max-age=60, s-maxage=9' },
  ];
  await serve({ auth: AUTH, headers });
  const as = 'ann:open';
  const caching = async (path: string) => (await ask(path, { as })).fields.get('cache-control');
  expect(await caching('/')).toBe('private, max-age=0, must-revalidate');
  expect(await caching('/private/a.js')).toBe('private, max-age=60');
  expect(await caching('/nowhere')).toBe('no-store');
});

test.each([
  { name: 'CDN-Cache-Control', value: 'max-age=3600' },
  { name: 'Cloudflare-CDN-Cache-Control', value: 'public, max-age=3600' },
  { name: 'Netlify-Cdn-Cache-Control', value: 'public, durable, max-age=3600' },
  { name: 'Surrogate-Control', value: 'max-age=3600' },
  { name: 'Edge-Control', value: 'max-age=3600' },
  { name: 'X-Accel-Expires', value: '3600' },
  { name: 'X-LiteSpeed-Cache-Control', value: 'public, max-age=3600' },
  { name: 'Expires', value: 'Fri, 01 Jan 2100 00:00:00 GMT' },
])('$name, by which shared caches go, is not sent with what is guarded', async (header) => {
  const headers = [
    { path: '/*', ...header },
    { path: '/*', name: 'Not-A-CDN-Cache-Controller', value: 'stays' },
  ];
  const text = `/*\n  ${header.name}: ${header.value}\n  Not-A-CDN-Cache-Controller: stays\n`;
  const contents = { _headers: text, 'index.html': 'all', 'private/index.html': 'some' };
  const files = Object.entries(contents).map(async ([path, content]) => {
    const digest = await put(content);
    return { path, digest, sizeBytes: content.length, contentType: 'text/html' };
  });
  const ruled = await put(encodeManifest(await Promise.all(files)));
  const name = header.name.toLowerCase();
  for (const site of [{ headers }, { release: ruled }]) {
    await serve({ auth: { ...AUTH, paths: ['/private/*'] }, ...site });
    const guarded = await ask('/private/', { as: 'ann:open' });
    expect(guarded.fields.get('cache-control')).toMatch(/^private/u);
    expect(guarded.fields.get('not-a-cdn-cache-controller')).toBe('stays');
    for (const answer of [guarded, await ask('/private/'), await ask('/private/nowhere')])
      expect(answer.fields.has(name), String(answer.status)).toBe(false);
    // For everybody it is as the rule has it.
    expect((await ask('/')).fields.get(name)).toBe(header.value);
  }
});

test.each([
  {
    paths: ['/private/*'],
    open: ['/', '/admin', '/nowhere'],
    closed: ['/private', '/private/a.js'],
  },
  { paths: ['/admin'], open: ['/'], closed: ['/admin', '/admin.html', '/admin/'] },
  { paths: ['/private/'], open: ['/private/a.js'], closed: ['/private/index.html', '/private'] },
  { paths: ['/admin.html'], open: ['/'], closed: ['/admin', '/app', '/%61dmin'] },
])('$paths is guarded whichever way it is asked for', async ({ paths, open, closed }) => {
  const options = {
    canonicalHost: false,
    hideHtml: false,
    trailingSlash: 'never',
    immutableAssets: false,
    securityHeaders: 'none',
    mimeTypes: new Map<string, string>(),
  } as const;
  const redirects = [{ from: '/app', to: '/admin', status: 200 }];
  await serve({
    auth: { ...AUTH, paths },
    redirects,
    options,
  });
  for (const path of open) expect(await statusOf(path), path).not.toBe(401);
  for (const path of closed) {
    // To be sent elsewhere tells nothing; there it is asked for.
    expect([401, 308], path).toContain(await statusOf(path));
  }
});

test.each([{ paths: [] }, { paths: ['private/*'] }, { paths: ['/nowhere', ''] }])(
  '$paths, which fits nothing, guards all',
  async ({ paths }) => {
    await serve({ auth: { ...AUTH, paths } });
    expect(await statusOf('/')).toBe(401);
  },
);

test('without its Secret it is closed, not open', async () => {
  await serve({ auth: { ...AUTH, hashByUser: new Map() } });
  for (const as of [undefined, 'ann:open', ':']) {
    const { status, fields } = await ask('/', as === undefined ? {} : { as });
    expect(status).toBe(503);
    expect(fields.get('retry-after')).toBe('30');
  }
});

test('where nobody can look at passwords it is closed', async () => {
  edge = createEdge({ disk, nodeName: 'london', log: silentLog });
  await serve({ auth: AUTH });
  expect(await statusOf('/', { as: 'ann:open' })).toBe(429);
});

test('a password that was changed counts no more, though it was known', async () => {
  const as = 'ann:open';
  expect(await statusOf('/', { as })).toBe(200);
  await serve({ auth: { ...AUTH, hashByUser: new Map([['ann', 'h3$other']]) } });
  expect(await statusOf('/', { as })).toBe(401);
  expect(await statusOf('/', { as: 'ann:other' })).toBe(200);
});

test('of what one address guesses only a little is looked at; others are not held up', async () => {
  const guess = (index: number, address?: string) =>
    statusOf('/', { as: `ann:guess${index}`, ...(address !== undefined && { address }) });
  for (let index = 0; index < WRONG_MAX; index += 1) expect(await guess(index)).toBe(401);
  const { status, fields } = await ask('/', { as: 'ann:open' });
  expect([status, fields.get('retry-after')]).toEqual([429, '60']);
  expect(hashed).toHaveLength(WRONG_MAX);
  expect(await guess(0, '192.0.2.2')).toBe(401);
  nowMs += WRONG_AGAIN_MS;
  expect(await statusOf('/', { as: 'ann:open' })).toBe(200);
  // Who knows the password has nothing to make up for.
  expect(await guess(77)).toBe(401);
  expect(await guess(78)).toBe(401);
});

test('a client with IPv6 is its /64; IPv4 may be written as IPv6', async () => {
  for (let index = 0; index < WRONG_MAX; index += 1) {
    await ask('/', { as: `ann:guess${index}`, address: `2001:db8::${index.toString(16)}` });
    await ask('/', { as: `ann:guess${index}`, address: '::ffff:198.51.100.7' });
  }
  const blocked = ['2001:db8:0:0:ffff::1', '198.51.100.7'];
  const free = ['2001:db8:0:1::1', '::ffff:198.51.100.8'];
  const guess = (address: string) => statusOf('/', { as: 'ann:more', address });
  for (const address of blocked) expect(await guess(address)).toBe(429);
  for (const address of free) expect(await guess(address)).toBe(401);
});

test('no more passwords wait than can be borne, and then they are looked at again', async () => {
  let release_ = () => undefined as void;
  isHeld = new Promise<void>((resolve) => {
    release_ = resolve;
  });
  const asked = Array.from({ length: WAITING_MAX + 5 }, (_, index) =>
    statusOf('/', { as: `ann:guess${index}`, address: `192.0.2.${index}` }),
  );
  release_();
  const statuses = await Promise.all(asked);
  expect(statuses.filter((status) => status === 429)).toHaveLength(5);
  expect(await statusOf('/', { as: 'ann:open' })).toBe(200);
});

test('however many addresses and passwords there are, only so many are remembered', async () => {
  expect(KNOWN_MAX).toBeLessThanOrEqual(1000);
  for (let index = 0; index < ADDRESSES_MAX + 10; index += 1)
    await ask('/', {
      as: 'eve:x',
      address: `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`,
    });
  expect(await statusOf('/', { as: 'ann:open' })).toBe(200);
});

test('previews are guarded like the Site', async () => {
  const host = '0123456789ab--blog.preview.test';
  await serve({ auth: AUTH, previews: [{ host, release }] });
  const request = { method: 'GET', path: '/', host, headers: {}, secure: true };
  const { status, headers } = await edge.handler(request);
  expect(status).toBe(401);
  expect(new Map(headers).get('x-robots-tag')).toBe('noindex');
  const authorization = `Basic ${Buffer.from('ann:open').toString('base64')}`;
  expect((await edge.handler({ ...request, headers: { authorization } })).status).toBe(200);
});

test('plain HTTP asks nobody for a password (RFC 7617 §4)', async () => {
  const request = { method: 'GET', path: '/', host: 'blog.test', headers: {}, secure: false };
  expect((await edge.handler(request)).status).toBe(308);
});
