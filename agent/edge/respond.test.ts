import { expect, test } from 'vitest';
import { contentTypeOf } from '../../runtime/content/content-type.ts';
import { digestOf } from '../../runtime/content/digest.ts';
import type { HttpRequest } from '../../runtime/http.ts';
import type { EdgeResponse } from './http/response.ts';
import { compileRelease } from './release.ts';
import { respond } from './respond.ts';
import { compileEdge } from './site-table.ts';
import type { EdgeProofs, EdgeSite } from './snapshot.ts';

const CONTENT: Readonly<Record<string, string>> = {
  'index.html': '<h1>home</h1>',
  'about.html': '<h1>about</h1>',
  'docs/index.html': 'docs',
  'both/index.html': 'both folder',
  'both.html': 'both page',
  'assets/app.js': '0123456789',
  'empty.txt': '',
  'a b/caf\u00e9.txt': 'accent',
  '404.html': 'gone',
  'folder/only.txt': 'x',
  '%2e%2e/literal.txt': 'literally percent',
};

const release = compileRelease(
  `sha256-${'c0ffee'.padEnd(64, '0')}`,
  Object.entries(CONTENT).map(([path, text]) => ({
    path,
    digest: digestOf(Buffer.from(text)),
    sizeBytes: text.length,
    contentType: contentTypeOf(path),
  })),
);

function site(overrides: Partial<EdgeSite> = {}): EdgeSite {
  return {
    uid: 'u1',
    namespace: 'default',
    name: 'blog',
    hosts: ['blog.example.com'],
    release: release.digest,
    notFoundPage: '404.html',
    singlePageApp: false,
    headers: [],
    redirects: [],
    ...overrides,
  };
}

const PROOFS: EdgeProofs = {
  http: [
    { host: 'blog.example.com', token: 'token', keyAuthorization: 'token.thumbprint' },
    { host: 'soon.example.com', token: 'soon', keyAuthorization: 'soon.thumbprint' },
  ],
  alpn: [],
};

function ask(
  path: string,
  request: Partial<HttpRequest> = {},
  sites: readonly EdgeSite[] = [
    site(),
    site({ uid: 'u2', hosts: ['new.example.com'], release: `sha256-${'1'.repeat(64)}` }),
  ],
): EdgeResponse {
  const table = compileEdge(
    { sites, certificates: [], httpsPort: 8443, proofs: PROOFS },
    {
      nodeName: 'london',
      releaseOf: (each) => (each.release === release.digest ? release : undefined),
    },
  );
  const host = 'blog.example.com:8443';
  return respond({ method: 'GET', path, host, headers: {}, secure: true, ...request }, table);
}

function header(response: EdgeResponse, name: string): string | undefined {
  return new Map(response.headers).get(name);
}

/** What the client would read. */
function content({ body }: EdgeResponse): string | undefined {
  if (body.kind !== 'blob') return undefined;
  const text = Object.values(CONTENT).find((each) => digestOf(Buffer.from(each)) === body.digest);
  return text?.slice(body.start, body.end);
}

const etagOf = (path: string) => `"${digestOf(Buffer.from(CONTENT[path] ?? '')).slice(7, 39)}"`;

test.each([
  { path: '/', reads: 'index.html' },
  { path: '/?q=1', reads: 'index.html' },
  { path: '/index.html', reads: 'index.html' },
  { path: '/about', reads: 'about.html' },
  { path: '/about.html', reads: 'about.html' },
  { path: '/docs/', reads: 'docs/index.html' },
  { path: '/both', reads: 'both.html' },
  { path: '/both/', reads: 'both/index.html' },
  { path: '/assets/app.js?v=2', reads: 'assets/app.js' },
  { path: '/assets/%61pp.js', reads: 'assets/app.js' },
  { path: '/a%20b/caf%C3%A9.txt', reads: 'a b/caf\u00e9.txt' },
  { path: '/a%20b/cafe%CC%81.txt', reads: 'a b/caf\u00e9.txt' },
  { path: '/%252e%252e/literal.txt', reads: '%2e%2e/literal.txt' },
  { path: 'https://blog.example.com/about', reads: 'about.html' },
  { path: 'https://blog.example.com', reads: 'index.html' },
])('$path answers $reads', ({ path, reads }) => {
  const response = ask(path);
  expect(response.status).toBe(200);
  expect(content(response)).toBe(CONTENT[reads]);
  expect(Object.fromEntries(response.headers)).toEqual({
    'content-type': contentTypeOf(reads),
    'content-length': String(CONTENT[reads]?.length),
    etag: etagOf(reads),
    'cache-control': 'public, max-age=0, must-revalidate',
    'accept-ranges': 'bytes',
    'b8s-release': 'c0ffee000000',
    'b8s-node': 'london',
  });
});

test.each([
  '/../etc/passwd',
  '/..',
  '/docs/..',
  '/docs/../index.html',
  '/./index.html',
  '/docs/.',
  '/%2e%2e/etc/passwd',
  '/docs/%2E%2E/index.html',
  '/.%2e/',
  '/%2e',
  '/docs/%2e/',
  '/docs%2findex.html',
  '/docs%2Findex.html',
  '/..%2f..%2fetc/passwd',
  '/docs%5cindex.html',
  '/docs\\index.html',
  '/..\\..\\windows',
  '/%00',
  '/index.html%00.png',
  '/%0a',
  '/%7f',
  '/%',
  '/%zz',
  '/%c0%ae%c0%ae/',
  '/%ff',
  '/caf\u00e9',
  '/a b',
  '/a#b',
  'index.html',
  '*',
  '\\',
  '/%ed%a0%80',
  '/about\r\nx: y',
  '/about?\r\nx',
  '/about?a#b',
])('%j is refused with 400', (path) => {
  const response = ask(path);
  expect(response.status).toBe(400);
  expect(response.body.kind).toBe('text');
});

test.each([
  '/%252e%252e/etc/passwd',
  '/%252findex.html',
  '//',
  '//docs/',
  '/docs//',
  '/.../',
  '/..a',
  '/folder/',
  '/folder',
  '/assets/app.js/',
  '/INDEX.html',
  '/__proto__',
  '/constructor',
])('%j is not found', (path) => {
  const response = ask(path);
  expect(response.status).toBe(404);
});

test('the site’s own page answers 404 whole, whatever the conditions and ranges', () => {
  const headers = { range: 'bytes=0-0', 'if-none-match': '*' };
  const response = ask('/missing', { headers });
  expect(response.status).toBe(404);
  expect(content(response)).toBe('gone');
  expect(header(response, 'etag')).toBeUndefined();
  expect(ask('/missing', {}, [site({ notFoundPage: '' })]).body).toMatchObject({ kind: 'text' });
});

test.each([
  { path: '/docs', location: '/docs/' },
  { path: '/docs?a=b', location: '/docs/?a=b' },
  { path: '/about/', location: '/about' },
])('$path goes to $location', ({ path, location }) => {
  const response = ask(path);
  expect(response.status).toBe(308);
  expect(header(response, 'location')).toBe(location);
});

test.each([
  { path: '/deep/link', status: 200 },
  { path: '/deep/link/', status: 200 },
  { path: '/v1.2/page', status: 200 },
  { path: '/missing.js', status: 404 },
  { path: '/assets/app.js', status: 200 },
])('in a single page app $path answers $status', ({ path, status }) => {
  const response = ask(path, {}, [site({ singlePageApp: true })]);
  expect(response.status).toBe(status);
  if (!path.includes('.js') && status === 200) expect(content(response)).toBe('<h1>home</h1>');
});

test.each([
  { host: 'blog.example.com', status: 200 },
  { host: 'BLOG.example.com.:443', status: 200 },
  { host: 'new.example.com', status: 503 },
  { host: 'other.example.com', status: 421 },
  { host: 'blog.example.com/../x', status: 421 },
  { host: '127.0.0.1:8443', status: 421 },
  { host: '[::1]', status: 421 },
  { host: '__proto__', status: 421 },
  { host: '', status: 400 },
])('host "$host" answers $status', ({ host, status }) => {
  const response = ask('/', { host });
  expect(response.status).toBe(status);
  expect(header(response, 'b8s-node')).toBe('london');
  expect(header(response, 'retry-after')).toBe(status === 503 ? '5' : undefined);
});

test('the host of an absolute target counts, not Host', () => {
  expect(ask('https://other.example.com/').status).toBe(421);
});

test('methods: GET and HEAD are served, OPTIONS says so, the rest is refused', () => {
  const get = ask('/about');
  const head = ask('/about', { method: 'HEAD' });
  expect(head).toEqual({ ...get, body: { kind: 'none' } });
  expect(ask('*', { method: 'OPTIONS' }).status).toBe(204);
  for (const method of ['POST', 'PUT', 'DELETE', 'TRACE', 'get']) {
    const response = ask('/about', { method });
    expect(response.status).toBe(405);
    expect(header(response, 'allow')).toBe('GET, HEAD, OPTIONS');
  }
});

test.each([
  { path: '/a%20b?c=d', location: 'https://blog.example.com:8443/a%20b?c=d' },
  { path: '//evil.example/', location: 'https://blog.example.com:8443//evil.example/' },
  { path: '/', location: 'https://blog.example.com:8443/' },
])('plain HTTP sends $path to $location', ({ path, location }) => {
  const response = ask(path, { secure: false });
  expect(response.status).toBe(308);
  expect(header(response, 'location')).toBe(location);
});

test('plain HTTP: unknown hosts go nowhere, health and challenges are answered', () => {
  expect(ask('/', { secure: false, host: 'evil.example' }).status).toBe(421);
  expect(ask('/../', { secure: false }).status).toBe(400);
  for (const secure of [true, false]) {
    const health = ask('/.well-known/b8s/health', { secure, host: '' });
    expect(health).toMatchObject({ status: 200, body: { kind: 'text', text: 'ok' } });
  }
});

test.each([
  { when: 'the host has a site', host: 'blog.example.com', token: 'token', status: 200 },
  { when: 'the host has no site yet', host: 'soon.example.com', token: 'soon', status: 200 },
  { when: 'a port and case differ', host: 'SOON.example.com.:8080', token: 'soon', status: 200 },
  { when: 'it is the proof of another host', host: 'blog.example.com', token: 'soon', status: 404 },
  { when: 'nobody knows the token', host: 'blog.example.com', token: 'other', status: 404 },
  { when: 'nobody knows the host', host: 'evil.example', token: 'token', status: 421 },
])('plain HTTP answers a CA with $status when $when (RFC 8555 §8.3)', ({ host, token, status }) => {
  const path = `/.well-known/acme-challenge/${token}`;
  const response = ask(path, { secure: false, host });
  expect(response.status).toBe(status);
  if (status !== 200) return;
  expect(response.body).toEqual({ kind: 'text', text: `${token}.thumbprint` });
  expect(header(response, 'content-type')).toBe('application/octet-stream');
  expect(header(response, 'cache-control')).toBe('no-store');
  const head = ask(path, { secure: false, host, method: 'HEAD' });
  expect(head).toMatchObject({ status: 200, body: { kind: 'none' } });
  // Over TLS it is a path of the site like any other.
  expect(ask(path, { host }).status).not.toBe(200);
});

const redirects = [
  { from: '/old', to: '/about', status: 301 },
  { from: '/old/*', to: '/docs/*', status: 302 },
  { from: '/blog*', to: '/*', status: 308 },
  { from: '/out/*', to: 'https://other.example/x/*?from=blog', status: 307 },
  { from: '/unicode', to: '/caf\u00e9', status: 0 },
  { from: '/index.html', to: '/index.html', status: 301 },
  { from: '/about*', to: '/about.html', status: 301 },
];

test.each([
  { path: '/old', status: 301, location: '/about' },
  { path: '/old?a=b', status: 301, location: '/about?a=b' },
  { path: '/old/a%20b/c', status: 302, location: '/docs/a%20b/c' },
  { path: '/blog//evil.example/', status: 308, location: '/evil.example/' },
  { path: '/blog%0d', status: 400, location: undefined },
  { path: '/out/a$&b?x', status: 307, location: 'https://other.example/x/a%24%26b?from=blog' },
  { path: '/unicode', status: 308, location: '/caf%C3%A9' },
  { path: '/index.html', status: 200, location: undefined },
  { path: '/about', status: 301, location: '/about.html' },
  { path: '/about.html', status: 200, location: undefined },
])('redirect rules: $path answers $status $location', ({ path, status, location }) => {
  const response = ask(path, {}, [site({ redirects })]);
  expect(response.status).toBe(status);
  expect(header(response, 'location')).toBe(location);
});

test('header rules: the last that fits wins, an empty value removes, reserved names stay', () => {
  const headers = [
    { path: '/*', name: 'Cache-Control', value: 'no-cache' },
    { path: '/assets/*', name: 'cache-control', value: 'public, max-age=31536000, immutable' },
    { path: '/*', name: 'X-Frame-Options', value: 'DENY' },
    { path: '/docs/', name: 'x-frame-options', value: '' },
    { path: '/*', name: 'Content-Length', value: '7' },
    { path: '/*', name: 'X-Split', value: 'a\r\nset-cookie: b' },
    { path: '/*', name: 'bad name', value: 'a' },
  ];
  const sites = [site({ headers })];
  const asset = ask('/assets/app.js', {}, sites);
  expect(header(asset, 'cache-control')).toBe('public, max-age=31536000, immutable');
  expect(header(asset, 'content-length')).toBe('10');
  expect(header(asset, 'x-split')).toBeUndefined();
  expect(header(ask('/', {}, sites), 'cache-control')).toBe('no-cache');
  expect(header(ask('/', {}, sites), 'x-frame-options')).toBe('DENY');
  expect(header(ask('/docs/', {}, sites), 'x-frame-options')).toBeUndefined();
  // A missing asset must not stay missing in browsers for a year.
  expect(header(ask('/assets/gone.js', {}, sites), 'cache-control')).toBe('no-store');
});

test('the first of two sites that name one host has it', () => {
  const sites = [site(), site({ uid: 'u2', release: `sha256-${'1'.repeat(64)}` })];
  expect(ask('/', {}, sites).status).toBe(200);
});
