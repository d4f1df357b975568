import { expect, test } from 'vitest';
import { contentTypeOf } from '../../runtime/content/content-type.ts';
import { digestOf } from '../../runtime/content/digest.ts';
import type { EdgeResponse } from './http/response.ts';
import { compileRelease } from './release.ts';
import { respond } from './respond.ts';
import { compileEdge } from './site-table.ts';
import type { EdgeOptionsOfSite, EdgeSite } from './snapshot.ts';

const FILES = [
  ...['index.html', 'about.html', 'docs/index.html', 'docs/a b.html', 'both.html'],
  ...['both/index.html', 'plain', 'plain.html', 'a.b/index.html', 'app.js', 'caf\u00e9.html'],
  ...['404.html', 'blog/404.html', 'blog/deep/post.html', 'errors/gone.html'],
];
const release = compileRelease(
  `sha256-${'0'.repeat(64)}`,
  FILES.map((path) => ({
    path,
    digest: digestOf(Buffer.from(path)),
    sizeBytes: path.length,
    contentType: contentTypeOf(path),
  })),
);

const OPTIONS: EdgeOptionsOfSite = {
  canonicalHost: false,
  hideHtml: false,
  trailingSlash: 'auto',
  immutableAssets: false,
  securityHeaders: 'none',
  mimeTypes: new Map(),
};

function ask(
  path: string,
  options: Partial<EdgeOptionsOfSite> = {},
  {
    host = 'example.com',
    secure = true,
    ...site
  }: Partial<EdgeSite> & { readonly host?: string; readonly secure?: boolean } = {},
): EdgeResponse {
  const plan: EdgeSite = {
    ...{ uid: 'u1', namespace: 'default', name: 'blog', release: release.digest },
    ...{ hosts: ['example.com', 'www.example.com'], notFoundPage: '404.html', headers: [] },
    ...{ singlePageApp: false, redirects: [], options: { ...OPTIONS, ...options }, ...site },
  };
  const snapshot = { sites: [plan], certificates: [], httpsPort: 8443 };
  const table = compileEdge(snapshot, { nodeName: 'london', releaseOf: () => release });
  return respond({ method: 'GET', path, host, headers: {}, secure }, table);
}

/** `docs/index.html`, `308 /docs/`, `404 blog/404.html`. */
function outcome({ status, headers, body }: EdgeResponse): string {
  const location = new Map(headers).get('location');
  if (location !== undefined) return `${status} ${location}`;
  const digest = body.kind === 'blob' ? body.digest : undefined;
  const file = FILES.find((path) => digestOf(Buffer.from(path)) === digest) ?? 'built-in';
  return status === 200 ? file : `${status} ${file}`;
}

const ROWS = [
  // path, auto, always, never
  ['/', 'index.html', 'index.html', 'index.html'],
  ['/index.html', 'index.html', 'index.html', 'index.html'],
  ['/about', 'about.html', '308 /about/', 'about.html'],
  ['/about/', '308 /about', 'about.html', '308 /about'],
  ['/about.html', 'about.html', 'about.html', 'about.html'],
  ['/docs', '308 /docs/', '308 /docs/', 'docs/index.html'],
  ['/docs/', 'docs/index.html', 'docs/index.html', '308 /docs'],
  ['/docs/index.html', 'docs/index.html', 'docs/index.html', 'docs/index.html'],
  ['/docs/index', '308 /docs/', '308 /docs/', '308 /docs'],
  ['/docs/a%20b/', '308 /docs/a%20b', 'docs/a b.html', '308 /docs/a%20b'],
  ['/caf%C3%A9/?x=1', '308 /caf%C3%A9?x=1', 'caf\u00e9.html', '308 /caf%C3%A9?x=1'],
  // A page beside a folder of its name: each has the address that leads to it alone.
  ['/both', 'both.html', 'both.html', 'both.html'],
  ['/both/', 'both/index.html', 'both/index.html', 'both/index.html'],
  // A file of the very name comes first.
  ['/plain', 'plain', 'plain', 'plain'],
  ['/plain/', 'plain.html', 'plain.html', 'plain.html'],
  ['/plain.html', 'plain.html', 'plain.html', 'plain.html'],
  ['/a.b', '308 /a.b/', '308 /a.b/', 'a.b/index.html'],
  ['/app.js', 'app.js', 'app.js', 'app.js'],
  ['/app.js/', '404 404.html', '404 404.html', '404 404.html'],
  ['//', '404 404.html', '404 404.html', '404 404.html'],
  ['//docs', '404 404.html', '404 404.html', '404 404.html'],
] as const;

test.each(ROWS)('%s answers %s, %s with slashes always, %s never', (path, auto, always, never) => {
  expect(outcome(ask(path))).toBe(auto);
  expect(outcome(ask(path, { trailingSlash: 'always' }))).toBe(always);
  expect(outcome(ask(path, { trailingSlash: 'never' }))).toBe(never);
});

test.each([
  ['/index.html', '308 /', '308 /', '308 /'],
  ['/index', '308 /', '308 /', '308 /'],
  ['/about.html', '308 /about', '308 /about/', '308 /about'],
  ['/docs/index.html?a', '308 /docs/?a', '308 /docs/?a', '308 /docs?a'],
  // With slashes always, "/both/" is the folder: the page keeps its address.
  ['/both.html', '308 /both', 'both.html', '308 /both'],
  ['/plain.html', 'plain.html', '308 /plain/', 'plain.html'],
  ['/app.js', 'app.js', 'app.js', 'app.js'],
  ['/404.html', '308 /404', '308 /404/', '308 /404'],
])('where .html is hidden, %s answers %s, %s, %s', (path, auto, always, never) => {
  const hidden = (trailingSlash: EdgeOptionsOfSite['trailingSlash']) =>
    outcome(ask(path, { hideHtml: true, trailingSlash }));
  expect([hidden('auto'), hidden('always'), hidden('never')]).toEqual([auto, always, never]);
});

test('whatever the address rules are, nobody is sent round and round', () => {
  const paths = FILES.flatMap((file) => {
    const own = encodeURI(`/${file}`);
    const bare = own.replace(/\.html$/u, '');
    return [own, bare, `${bare}/`, bare.replace(/\/index$/u, ''), bare.replace(/index$/u, '')];
  });
  for (const hideHtml of [true, false])
    for (const trailingSlash of ['auto', 'always', 'never'] as const)
      for (const path of paths) {
        let at = path;
        let steps = 0;
        for (let next = step(at); next !== undefined; next = step(at)) {
          at = next;
          steps += 1;
          expect(steps, `${path} ${trailingSlash}`).toBeLessThan(2);
        }
        function step(from: string): string | undefined {
          return new Map(ask(from, { hideHtml, trailingSlash }).headers).get('location');
        }
      }
});

test.each([
  { path: '/nowhere', is: '404 404.html' },
  { path: '/blog/nowhere', is: '404 blog/404.html' },
  { path: '/blog/deep/er/nowhere', is: '404 blog/404.html' },
  { path: '/blogger/nowhere', is: '404 404.html' },
  { path: `/blog${'/x'.repeat(4000)}`, is: '404 blog/404.html' },
  { path: '/blog/nowhere', page: 'errors/gone.html', is: '404 errors/gone.html' },
  { path: '/blog/nowhere', page: 'gone.html', is: '404 built-in' },
  { path: '/errors/nowhere', page: 'gone.html', is: '404 errors/gone.html' },
  { path: '/nowhere', page: '', is: '404 built-in' },
])('$path, with the page "$page" for what is missing, answers $is', ({ path, page, is }) => {
  const site = page === undefined ? {} : { notFoundPage: page };
  expect(outcome(ask(path, {}, site))).toBe(is);
});

test.each([
  { host: 'www.example.com', path: '/a%20b?c=d', location: 'https://example.com:8443/a%20b?c=d' },
  { host: 'WWW.example.com.:443', path: '/', location: 'https://example.com:8443/' },
  { host: 'www.example.com', path: '//evil.test', location: 'https://example.com:8443//evil.test' },
  { host: 'example.com', path: '/about', location: undefined },
])('of $host$path the canonical host is $location', ({ host, path, location }) => {
  const { status, headers } = ask(path, { canonicalHost: true }, { host });
  expect(new Map(headers).get('location')).toBe(location);
  expect(status).toBe(location === undefined ? 200 : 308);
  // Without the wish all hosts answer.
  expect(new Map(ask('/about', {}, { host }).headers).get('location')).toBeUndefined();
});

test('Strict-Transport-Security goes with every answer over TLS, and none without (RFC 6797 §7.2)', () => {
  const hsts = { maxAgeS: 31_536_000, includeSubdomains: true, preload: true };
  const value = 'max-age=31536000; includeSubDomains; preload';
  for (const path of ['/', '/docs', '/nowhere', '/app.js']) {
    const { headers } = ask(path, { hsts, canonicalHost: true });
    expect(new Map(headers).get('strict-transport-security'), path).toBe(value);
  }
  const plain = ask('/', { hsts }, { secure: false });
  expect(plain.status).toBe(308);
  expect(new Map(plain.headers).has('strict-transport-security')).toBe(false);
  const sent = ask('/', { hsts, canonicalHost: true }, { host: 'www.example.com' });
  expect(new Map(sent.headers).get('strict-transport-security')).toBe(value);
  const back = { maxAgeS: 0, includeSubdomains: false, preload: false };
  const headers = new Map(ask('/', { hsts: back }).headers);
  expect(headers.get('strict-transport-security')).toBe('max-age=0');
});

test('the presets of security headers, which rules of the site override', () => {
  const namesOf = ({ headers }: EdgeResponse) => headers.map(([name]) => name);
  expect(namesOf(ask('/about'))).not.toContain('x-content-type-options');
  const basic = new Map(ask('/about', { securityHeaders: 'basic' }).headers);
  expect(basic.get('x-content-type-options')).toBe('nosniff');
  expect(basic.get('x-frame-options')).toBe('SAMEORIGIN');
  expect(basic.get('referrer-policy')).toBe('strict-origin-when-cross-origin');
  expect(basic.has('content-security-policy')).toBe(false);
  const headers = [
    { path: '/about', name: 'Content-Security-Policy', value: "default-src 'self' cdn.test" },
    { path: '/about', name: 'X-Frame-Options', value: '' },
  ];
  const strict = new Map(ask('/about', { securityHeaders: 'strict' }, { headers }).headers);
  expect(strict.get('content-security-policy')).toBe("default-src 'self' cdn.test");
  expect(strict.has('x-frame-options')).toBe(false);
  expect(strict.get('cross-origin-opener-policy')).toBe('same-origin');
  const missing = new Map(ask('/nowhere', { securityHeaders: 'strict' }).headers);
  expect(missing.get('content-security-policy')).toContain("frame-ancestors 'none'");
});
