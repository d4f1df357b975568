import { expect, test } from 'vitest';
import { contentTypeOf } from '../../../runtime/content/content-type.ts';
import { digestOf } from '../../../runtime/content/digest.ts';
import { parseHeaders } from '../../../runtime/release-rules/headers-file.ts';
import { parseRedirects } from '../../../runtime/release-rules/redirects-file.ts';
import { parseRules } from '../../../runtime/release-rules/release-rules.ts';
import type { EdgeResponse } from '../http/response.ts';
import { compileRelease } from '../release.ts';
import { respond } from '../respond.ts';
import { compileEdge } from '../site-table.ts';
import type { EdgeSite } from '../snapshot.ts';

const PAGES = [
  ...['index.html', 'about.html', 'docs/index.html', 'posts/a/b.html', 'new.html', '404.html'],
  ...['blog/index.html', 'blog/2026/05/hello.html', 'blog/404.html', 'app.js', 'closed.html'],
  ...['en/404.html', 'pass.html', 'caf\u00e9.html'],
];

/** What a site whose release has these files answers. */
function ask(
  path: string,
  files: { readonly redirects?: string; readonly headers?: string },
  { host = 'blog.example.com', ...site }: Partial<EdgeSite> & { readonly host?: string } = {},
): EdgeResponse {
  const listed = PAGES.map((name) => ({
    path: name,
    digest: digestOf(Buffer.from(name)),
    sizeBytes: name.length,
    contentType: contentTypeOf(name),
  }));
  const digest = `sha256-${'c0ffee'.padEnd(64, '0')}` as const;
  const rules = parseRules({ redirects: files.redirects, headers: files.headers });
  const release = compileRelease(digest, listed, undefined, rules);
  const plan: EdgeSite = {
    ...{ uid: 'u1', namespace: 'default', name: 'blog', release: digest },
    ...{ hosts: ['blog.example.com', 'www.example.com'], notFoundPage: '404.html' },
    ...{ singlePageApp: false, headers: [], redirects: [], ...site },
  };
  const snapshot = { sites: [plan], certificates: [], httpsPort: 443 };
  const table = compileEdge(snapshot, { nodeName: 'london', releaseOf: () => release });
  return respond({ method: 'GET', path, host, headers: {}, secure: true }, table);
}

function header({ headers }: EdgeResponse, name: string): string | undefined {
  return new Map(headers).get(name);
}

/** `301 /new`, `200 about.html`, `404 built-in`. */
function outcome(response: EdgeResponse): string {
  const { status, body } = response;
  const digest = body.kind === 'blob' ? body.digest : undefined;
  const file = PAGES.find((name) => digestOf(Buffer.from(name)) === digest) ?? 'built-in';
  return `${status} ${header(response, 'location') ?? file}`;
}

/** Whose documentation a row follows; `ours`: where they are silent, or differ. */
type Of = 'Netlify' | 'Cloudflare' | 'both' | 'ours';

const REDIRECTS: readonly {
  readonly of: Of;
  readonly when: string;
  readonly file: string;
  readonly path: string;
  readonly is: string;
}[] = [
  { of: 'both', when: 'a status is written', file: '/home / 301', path: '/home', is: '301 /' },
  { of: 'Cloudflare', when: 'no status is', file: '/home /new', path: '/home', is: '302 /new' },
  { of: 'both', when: '302', file: '/home /new 302', path: '/home', is: '302 /new' },
  { of: 'Cloudflare', when: '303', file: '/home /new 303', path: '/home', is: '303 /new' },
  { of: 'Cloudflare', when: '307', file: '/home /new 307', path: '/home', is: '307 /new' },
  { of: 'Cloudflare', when: '308', file: '/home /new 308', path: '/home', is: '308 /new' },
  {
    of: 'both',
    when: 'another site',
    file: '/x https://www.google.com',
    path: '/x',
    is: '302 https://www.google.com',
  },
  {
    of: 'both',
    when: 'there are comments and empty lines',
    file: '# a\n\n  # b\n/x /new 301 # why\n',
    path: '/x',
    is: '301 /new',
  },
  { of: 'both', when: 'lines end in CRLF', file: '/x /new 301\r\n', path: '/x', is: '301 /new' },
  { of: 'both', when: 'tabs stand between', file: '\t/x\t\t/new\t301', path: '/x', is: '301 /new' },
  {
    of: 'ours',
    when: 'it begins with a BOM',
    file: '\ufeff/x /new 301',
    path: '/x',
    is: '301 /new',
  },
  {
    of: 'both',
    when: 'the first of two that fit counts',
    file: '/x /new 301\n/* /docs/ 302',
    path: '/x',
    is: '301 /new',
  },
  {
    of: 'both',
    when: 'a pattern stands above a path',
    file: '/x* /docs/ 302\n/xy /new 301',
    path: '/xy',
    is: '302 /docs/',
  },
  {
    of: 'both',
    when: 'a splat is filled in',
    file: '/news/* /blog/:splat 301',
    path: '/news/2004/01/10/my-story',
    is: '301 /blog/2004/01/10/my-story',
  },
  {
    of: 'both',
    when: 'a splat is empty',
    file: '/news/* /blog/:splat 301',
    path: '/news/',
    is: '301 /blog/',
  },
  {
    of: 'Netlify',
    when: 'a splat may be absent with its slash',
    file: '/news/* /blog/:splat 301',
    path: '/news',
    is: '301 /blog/',
  },
  {
    of: 'Cloudflare',
    when: 'a splat stands within',
    file: '/a/*/z /b/:splat 301',
    path: '/a/x/y/z',
    is: '301 /b/x/y',
  },
  {
    of: 'both',
    when: 'placeholders change places',
    file: '/news/:month/:date/:year/:slug /blog/:year/:month/:date/:slug 301',
    path: '/news/02/12/2004/my-story',
    is: '301 /blog/2004/02/12/my-story',
  },
  {
    of: 'both',
    when: 'a placeholder ends at a slash',
    file: '/news/:slug /blog/:slug 301',
    path: '/news/a/b',
    is: '404 404.html',
  },
  {
    of: 'both',
    when: 'a placeholder stands for something',
    file: '/news/:slug /blog/:slug 301',
    path: '/news/',
    is: '404 404.html',
  },
  {
    of: 'both',
    when: 'placeholder and splat meet',
    file: '/u/:user/* /people/:user?rest=:splat 301',
    path: '/u/ann/a/b',
    is: '301 /people/ann?rest=a/b',
  },
  {
    of: 'Cloudflare',
    when: 'placeholders make a query',
    file: '/products/:code/:name /products?code=:code&name=:name',
    path: '/products/7/green%20tea',
    is: '302 /products?code=7&name=green%20tea',
  },
  {
    of: 'ours',
    when: 'a colon within a part begins no placeholder',
    file: '/post-:id /new 301',
    path: '/post-7',
    is: '404 404.html',
  },
  {
    of: 'Cloudflare',
    when: 'the target has a fragment, and the request a query',
    file: '/x /new#part 301',
    path: '/x?a=b',
    is: '301 /new?a=b#part',
  },
  {
    of: 'Cloudflare',
    when: 'the source has a fragment, which no server sees',
    file: '/x#part /new 301',
    path: '/x',
    is: '301 /new',
  },
  {
    of: 'both',
    when: 'the request’s query is passed on',
    file: '/x /new 301',
    path: '/x?a=b&c',
    is: '301 /new?a=b&c',
  },
  {
    of: 'Cloudflare',
    when: 'the target has a query of its own',
    file: '/x /new?q=1 301',
    path: '/x?a=b',
    is: '301 /new?q=1',
  },
  {
    of: 'Netlify',
    when: 'a query parameter is named',
    file: '/store id=:id /blog/:id 301',
    path: '/store?id=my-blog-post',
    is: '301 /blog/my-blog-post',
  },
  {
    of: 'Netlify',
    when: 'two are named, in any order',
    file: '/articles id=:id tag=:tag /posts/:tag/:id 301',
    path: '/articles?tag=a&id=b',
    is: '301 /posts/a/b',
  },
  {
    of: 'Netlify',
    when: 'the request has another parameter besides',
    file: '/store id=:id /blog/:id 301',
    path: '/store?id=1&x=2',
    is: '404 404.html',
  },
  {
    of: 'Netlify',
    when: 'the request lacks the parameter',
    file: '/store id=:id /blog/:id 301\n/store /new 302',
    path: '/store',
    is: '302 /new',
  },
  {
    of: 'Netlify',
    when: 'a parameter must have a value',
    file: '/store page=2 /new 301',
    path: '/store?page=2',
    is: '301 /new',
  },
  {
    of: 'Netlify',
    when: 'it has another value',
    file: '/store page=2 /new 301',
    path: '/store?page=3',
    is: '404 404.html',
  },
  {
    of: 'Netlify',
    when: 'the request ends in a slash, and the rule does not',
    file: '/x /new 301',
    path: '/x/',
    is: '301 /new',
  },
  {
    of: 'Netlify',
    when: 'the rule ends in a slash, and the request does not',
    file: '/x/ /new 301',
    path: '/x',
    is: '301 /new',
  },
  {
    of: 'Cloudflare',
    when: 'there is a rule for each',
    file: '/x /new 301\n/x/ /docs/ 301',
    path: '/x/',
    is: '301 /docs/',
  },
  {
    of: 'Netlify',
    when: 'a rule would only add a slash',
    file: '/docs /docs/ 301',
    path: '/docs/',
    is: '200 docs/index.html',
  },
  {
    of: 'both',
    when: 'a path is rewritten',
    file: '/pass-through /pass.html 200',
    path: '/pass-through',
    is: '200 pass.html',
  },
  {
    of: 'both',
    when: 'a rewrite names a page without its extension',
    file: '/pass-through /pass 200',
    path: '/pass-through?a=b',
    is: '200 pass.html',
  },
  {
    of: 'both',
    when: 'a rewrite fills in',
    file: '/p/:slug /posts/a/:slug 200',
    path: '/p/b',
    is: '200 posts/a/b.html',
  },
  {
    of: 'Netlify',
    when: 'an app answers for all',
    file: '/* /index.html 200',
    path: '/any/where',
    is: '200 index.html',
  },
  {
    of: 'Netlify',
    when: 'an app answers for all, and there is a file',
    file: '/* /index.html 200',
    path: '/app.js',
    is: '200 app.js',
  },
  {
    of: 'Netlify',
    when: 'it is forced',
    file: '/* /closed.html 200!',
    path: '/app.js',
    is: '200 closed.html',
  },
  {
    of: 'Netlify',
    when: 'a pattern redirects, and there is a file',
    file: '/* /new/:splat 301',
    path: '/about',
    is: '200 about.html',
  },
  {
    of: 'Netlify',
    when: 'a pattern redirects by force',
    file: '/a* /new/:splat 301!',
    path: '/about',
    is: '301 /new/bout',
  },
  {
    of: 'Cloudflare',
    when: 'a path redirects, and there is a file',
    file: '/about /new 301',
    path: '/about',
    is: '301 /new',
  },
  {
    of: 'Cloudflare',
    when: 'a rewrite leads to where another rule begins',
    file: '/x /about 200\n/about /new 301',
    path: '/x',
    is: '200 about.html',
  },
  {
    of: 'Netlify',
    when: 'a page says that it is gone',
    file: '/ecommerce /closed 404',
    path: '/ecommerce',
    is: '404 closed.html',
  },
  {
    of: 'Netlify',
    when: 'a language has a page for what is missing',
    file: '/en/* /en/404.html 404',
    path: '/en/nowhere',
    is: '404 en/404.html',
  },
  {
    of: 'ours',
    when: 'a rewrite leads nowhere',
    file: '/x /nowhere 200',
    path: '/x',
    is: '404 404.html',
  },
  {
    of: 'Netlify',
    when: 'a rule is for one host, and it is asked for',
    file: 'https://www.example.com/* https://blog.example.com/:splat 301!',
    path: '/about?a=b',
    is: '200 about.html',
  },
  {
    of: 'Netlify',
    when: 'a rule has a country',
    file: '/ /anz 302 Country=au,nz',
    path: '/',
    is: '200 index.html',
  },
  {
    of: 'Netlify',
    when: 'a rule has a language',
    file: '/x /he 302! Language=he\n/x /new 301',
    path: '/x',
    is: '301 /new',
  },
  {
    of: 'Netlify',
    when: 'a rule would fetch another site',
    file: '/api/* https://api.example.com/:splat 200',
    path: '/api/x',
    is: '404 404.html',
  },
  {
    of: 'both',
    when: 'a line has one word',
    file: '/x\n/y /new 301',
    path: '/y',
    is: '301 /new',
  },
  { of: 'both', when: 'a status is none', file: '/x /new 418', path: '/x', is: '404 404.html' },
  {
    of: 'Cloudflare',
    when: 'it leads to itself by way of an index',
    file: '/* /index.html 301!',
    path: '/index.html',
    is: '200 index.html',
  },
  {
    of: 'ours',
    when: 'it leads to the very URL asked for',
    file: '/* https://blog.example.com/:splat 301!',
    path: '/about',
    is: '200 about.html',
  },
  {
    of: 'both',
    when: 'what a client sends begins with a slash',
    file: '/go/* /:splat 301',
    path: '/go//evil.example/',
    is: '301 /evil.example/',
  },
  {
    of: 'ours',
    when: 'a client would choose the host',
    file: '/go/* https://:splat 301\n/go/* //:splat 301',
    path: '/go/evil.example',
    is: '404 404.html',
  },
  {
    of: 'both',
    when: 'source and request are encoded, each in its way',
    file: '/caf%C3%A9s /new 301',
    path: '/caf%c3%a9s',
    is: '301 /new',
  },
  {
    of: 'both',
    when: 'a splat has what a URL must not',
    file: '/a/* /b/:splat 301',
    path: '/a/%C3%A9%20%22%3F%23',
    is: '301 /b/%C3%A9%20%22%3F%23',
  },
  {
    of: 'ours',
    when: 'a colon stands within a part',
    file: '/wiki/Talk:Home /new 301',
    path: '/wiki/Talk:Home',
    is: '301 /new',
  },
  {
    of: 'both',
    when: 'its own file is asked for',
    file: '/a /b 301',
    path: '/_redirects',
    is: '404 404.html',
  },
];

test.each(REDIRECTS)('_redirects ($of): $when', ({ file, path, is }) => {
  expect(outcome(ask(path, { redirects: file }))).toBe(is);
});

test('a rule for a host counts for that host alone (Netlify)', () => {
  const redirects = 'http://www.example.com/* https://blog.example.com/:splat 301!';
  const answered = ask('/about?a=b', { redirects }, { host: 'www.example.com' });
  expect(outcome(answered)).toBe('301 https://blog.example.com/about?a=b');
});

const HEADERS: readonly {
  readonly of: Of;
  readonly when: string;
  readonly file: string;
  readonly path: string;
  readonly has: Readonly<Record<string, string | undefined>>;
  readonly host?: string;
}[] = [
  {
    of: 'both',
    when: 'a path has two headers',
    file: '/about\n  X-A: 1\n  X-B: two: three',
    path: '/about',
    has: { 'x-a': '1', 'x-b': 'two: three' },
  },
  {
    of: 'both',
    when: 'another path',
    file: '/x\n X-A: 1',
    path: '/about',
    has: { 'x-a': undefined },
  },
  {
    of: 'both',
    when: 'a splat',
    file: '/blog/*\n  X-A: 1',
    path: '/blog/2026/05/hello',
    has: { 'x-a': '1' },
  },
  {
    of: 'Cloudflare',
    when: 'a splat in front',
    file: '/*.js\n  X-A: 1',
    path: '/app.js',
    has: { 'x-a': '1' },
  },
  {
    of: 'both',
    when: 'all paths that fit count',
    file: '/*\n  X-A: 1\n/about\n  X-B: 2',
    path: '/about',
    has: { 'x-a': '1', 'x-b': '2' },
  },
  {
    of: 'Netlify',
    when: 'a header comes twice below one path',
    file: '/*\n  Link: </a.css>\n  Link: </b.css>',
    path: '/about',
    has: { link: '</a.css>, </b.css>' },
  },
  {
    of: 'Cloudflare',
    when: 'a header comes from two paths',
    file: '/*\n  X-Robots-Tag: nosnippet\n/about\n  X-Robots-Tag: noindex',
    path: '/about',
    has: { 'x-robots-tag': 'nosnippet, noindex' },
  },
  {
    of: 'Cloudflare',
    when: 'a header is detached',
    file: '/*\n  Content-Security-Policy: default-src *\n/about\n  ! Content-Security-Policy',
    path: '/about',
    has: { 'content-security-policy': undefined },
  },
  {
    of: 'Cloudflare',
    when: 'a header is detached and set anew',
    file: '/*\n  X-A: 1\n/about\n  ! X-A\n  X-A: 2',
    path: '/about',
    has: { 'x-a': '2' },
  },
  {
    of: 'Cloudflare',
    when: 'a header that the edge sends is detached',
    file: '/*\n  ! Cache-Control',
    path: '/about',
    has: { 'cache-control': undefined },
  },
  {
    of: 'Cloudflare',
    when: 'a header replaces that of the edge',
    file: '/*\n  Cache-Control: max-age=60',
    path: '/about',
    has: { 'cache-control': 'max-age=60' },
  },
  {
    of: 'Cloudflare',
    when: 'a placeholder is filled in',
    file: '/blog/:year/*\n  X-Year: from ":year" on, :splat',
    path: '/blog/2026/05/hello',
    has: { 'x-year': 'from "2026" on, 05/hello' },
  },
  {
    of: 'Cloudflare',
    when: 'a URL names the host',
    file: 'https://blog.example.com/*\n  X-A: 1',
    path: '/about',
    has: { 'x-a': '1' },
  },
  {
    of: 'Cloudflare',
    when: 'a URL names another host',
    file: 'https://www.example.com/*\n  X-A: 1',
    path: '/about',
    has: { 'x-a': undefined },
  },
  {
    of: 'Cloudflare',
    when: 'a host has a placeholder',
    file: 'https://:sub.example.com/*\n  X-Robots-Tag: noindex',
    path: '/about',
    host: 'www.example.com',
    has: { 'x-robots-tag': 'noindex' },
  },
  {
    of: 'Cloudflare',
    when: 'a host has a "*", of which there is no other',
    file: 'https://*.example.com/about\n  X-A: from :splat',
    path: '/about',
    host: 'www.example.com',
    has: { 'x-a': 'from www' },
  },
  {
    of: 'Cloudflare',
    when: 'a host has a "*", and the path another',
    file: 'https://*.example.com/*\n  X-A: 1',
    path: '/about',
    host: 'www.example.com',
    has: { 'x-a': undefined },
  },
  {
    of: 'ours',
    when: 'a "*" in a host would go on in the path',
    file: 'https://*.example.com/about\n  X-A: 1',
    path: '/www.example.com/about',
    has: { 'x-a': undefined },
  },
  {
    of: 'Cloudflare',
    when: 'a URL has a port',
    file: 'https://blog.example.com:8443/*\n  X-A: 1',
    path: '/about',
    has: { 'x-a': undefined },
  },
  {
    of: 'Cloudflare',
    when: 'a URL has another scheme',
    file: 'http://blog.example.com/*\n  X-A: 1',
    path: '/about',
    has: { 'x-a': undefined },
  },
  {
    of: 'Netlify',
    when: 'there are comments',
    file: '# all\n/*\n  # why\n  X-A: 1',
    path: '/about',
    has: { 'x-a': '1' },
  },
  {
    of: 'both',
    when: 'nothing is indented',
    file: '/about\nX-A: 1',
    path: '/about',
    has: { 'x-a': '1' },
  },
  {
    of: 'both',
    when: 'a header is below no path',
    file: 'X-A: 1\n/*\n  X-B: 2',
    path: '/about',
    has: { 'x-a': undefined, 'x-b': '2' },
  },
  {
    of: 'ours',
    when: 'it would frame the message',
    file: '/*\n  Content-Length: 7\n  Transfer-Encoding: chunked\n  ETag: "x"',
    path: '/about',
    has: { 'content-length': '10', 'transfer-encoding': undefined },
  },
  {
    of: 'ours',
    when: 'it would make caches mix up codings',
    file: '/*\n  Vary: Origin',
    path: '/app.js',
    has: { vary: 'Origin' },
  },
  {
    of: 'Netlify',
    when: 'it holds passwords, which are nobody’s to see',
    file: '/*\n  Basic-Auth: ann:secret',
    path: '/about',
    has: { 'basic-auth': undefined },
  },
  {
    of: 'ours',
    when: 'a missing file would be kept for a year',
    file: '/*\n  Cache-Control: max-age=31536000, immutable',
    path: '/nowhere.js',
    has: { 'cache-control': 'no-store' },
  },
  {
    of: 'both',
    when: 'its own file is asked for',
    file: '/*\n  X-A: 1',
    path: '/_headers',
    has: { 'x-a': '1', 'cache-control': 'no-store' },
  },
];

test.each(HEADERS)('_headers ($of): $when', ({ file, path, has, host }) => {
  const response = ask(path, { headers: file }, host === undefined ? {} : { host });
  const found = Object.keys(has).map((name) => [name, header(response, name)]);
  expect(Object.fromEntries(found)).toEqual(has);
});

test('cookies stay headers of their own (RFC 9110 §5.3)', () => {
  const { headers } = ask('/about', { headers: '/*\n  Set-Cookie: a=1\n  Set-Cookie: b=2' });
  expect(headers.filter(([name]) => name === 'set-cookie').map(([, value]) => value)).toEqual([
    'a=1',
    'b=2',
  ]);
});

test('the Site’s spec comes before what its release says', () => {
  const files = { redirects: '/x /new 301', headers: '/*\n  X-A: 1\n  X-B: 1' };
  const redirects = [{ from: '/x', to: '/docs/', status: 302 }];
  const headers = [
    { path: '/*', name: 'X-A', value: '2' },
    { path: '/*', name: 'X-B', value: '' },
  ];
  expect(outcome(ask('/x', files, { redirects }))).toBe('302 /docs/');
  const response = ask('/about', files, { headers });
  expect([header(response, 'x-a'), header(response, 'x-b')]).toEqual(['2', undefined]);
});

test('in a spec a path with its slash is another one than without', () => {
  const redirects = [{ from: '/x', to: '/new', status: 301 }];
  expect(outcome(ask('/x', {}, { redirects }))).toBe('301 /new');
  expect(outcome(ask('/x/', {}, { redirects }))).toBe('404 404.html');
});

test('headers go with redirects and errors, too, but for how long those are kept', () => {
  const headers = '/*\n  X-A: 1\n  Cache-Control: max-age=31536000';
  const kept = ['/about', '/x', '/nowhere'].map((path) => {
    const response = ask(path, { headers, redirects: '/x /new 301' });
    return [response.status, header(response, 'x-a'), header(response, 'cache-control')];
  });
  expect(kept).toEqual([
    [200, '1', 'max-age=31536000'],
    [301, '1', 'public, max-age=0, must-revalidate'],
    [404, '1', 'no-store'],
  ]);
});

test('a spec can do what the files can', () => {
  const redirects = [
    { from: '/news/:year/*', to: '/blog/:year/05/*', status: 200 },
    { from: '/gone/*', to: '/closed', status: 404 },
    { from: '/app.js', to: '/pass', status: 200, force: true },
    { from: '/about', to: '/pass', status: 200 },
    { from: '/see', to: '/new', status: 303 },
  ];
  const at = (path: string) => outcome(ask(path, {}, { redirects }));
  expect(at('/news/2026/hello')).toBe('200 blog/2026/05/hello.html');
  expect(at('/gone/x')).toBe('404 closed.html');
  expect(at('/app.js')).toBe('200 pass.html');
  expect(at('/about')).toBe('200 about.html');
  expect(at('/see')).toBe('303 /new');
});

test.each([
  { file: '/x', says: '_redirects:1: "/x" leads nowhere; write where to, e.g. "/x /new 301"' },
  { file: '\n\nx /new', says: '_redirects:3: "x" must begin with "/", e.g. /x' },
  { file: '/x /new 418', says: '"418" is no status of a rule; write 200, 301' },
  { file: '/x /new 302 Country=au', says: 'the condition "Country=au" is not supported' },
  { file: '/x /new Language=de', says: 'the condition "Language=de" is not supported' },
  { file: '/x /new 301! Role=admin', says: 'the condition "Role=admin" is not supported' },
  { file: '/x /new 302 Cookie=a,b', says: 'the condition "Cookie=a,b" is not supported' },
  { file: '/x /new 200 signed=KEY', says: 'the condition "signed=KEY" is not supported' },
  { file: 'https://a.example:8443/x /new', says: 'must name a host without port' },
  { file: '/x?a=b /new', says: 'must be a path alone, without "?" or "#"' },
  { file: `/${'x'.repeat(1000)} /new`, says: 'is longer than 1000 characters' },
  { file: `/x /${'x'.repeat(1000)}`, says: 'is longer than 1000 characters' },
  { file: `${'/:a'.repeat(17)} /new`, says: 'has more than 16 placeholders' },
  { file: '/x a=1 b=2 c=3 d=4 e=5 f=6 g=7 h=8 i=9 /new', says: 'more than 8 query parameters' },
  { file: '/x id=1 id=2 /new', says: 'has the query parameter "id" twice' },
  {
    file: '/a/* https://a.example/:splat 200',
    says: 'another site, which is not fetched from here',
  },
  { file: '/x /a 301\n/x /b 301', says: '_redirects:2: is never reached, for line 1 comes first' },
  { file: '/a/*/b/* /c', says: 'has more than one "*"; write ":name" for what is one part' },
  { file: 'https://*.example.com/* /c', says: 'must name a host without port' },
  { file: 'https://:a.example.com/* /c', says: 'must name a host without port' },
  { file: 'https://a.example.com/:a/:a /c', says: 'has two placeholders of one name' },
  { file: '/:a/:a /c', says: 'has two placeholders of one name' },
  { file: '/x id /c', says: '"id" is neither a path nor a query parameter' },
  { file: '/go/* https://:splat', says: 'must name its host whole' },
  { file: '/x /\\evil.example', says: 'has a backslash' },
  { file: `/${'x'.repeat(2001)} /new`, says: 'is longer than 2000 characters; shorten it' },
])('a line that is skipped is told of: $says', ({ file, says }) => {
  expect(parseRules({ redirects: file, headers: undefined }).warning).toContain(says);
});

test.each([
  { file: 'X-A: 1', says: '_headers:1: is below no path; write one above it, e.g. /*' },
  { file: '/*\n  what', says: '_headers:2: is neither a path nor a header; write "Name: value"' },
  { file: '/*\n  X-A:', says: '"x-a" has no value; write one, or "! x-a"' },
  { file: '/*\n  X A: 1', says: '"x a" is no name of a header' },
  { file: '/*\n  Content-Length: 1', says: '"content-length" is set by the edge alone' },
  { file: '/*\n  X-A: \u00e9', says: 'the value of "x-a" has a character that is not plain ASCII' },
  { file: '/*\n  Basic-Auth: ann:secret', says: 'name a Secret at spec.auth of the Site' },
  {
    file: 'http://a.example/\n  X-A: 1',
    says: 'must begin with https://; its headers are skipped',
  },
  { file: 'https://a.example:1/\n  X-A: 1', says: 'must name no port' },
  {
    file: '/a/*/b/*\n  X-A: 1',
    says: 'has more than one "*"; write ":name" for what is one part; its headers are skipped',
  },
  {
    file: 'https://*.example.com/*\n  X-A: 1',
    says: '"https://*.example.com/*" has more than one "*"; write ":name" for what is one part',
  },
  { file: 'https://*.*.example.com/\n  X-A: 1', says: 'has more than one "*"' },
  { file: 'https://:a.example.com/b/:a\n  X-A: 1', says: 'has two placeholders of one name' },
  { file: 'https://:splat.example.com/\n  X-A: 1', says: '":splat" is what "*" matched' },
  { file: `/*\n  X-A: ${'x'.repeat(2000)}`, says: 'is longer than 2000 characters; shorten it' },
])('a header that is skipped is told of: $says', ({ file, says }) => {
  const { warning } = parseRules({ redirects: undefined, headers: file });
  expect(warning).toContain(says);
  expect(warning).not.toContain('secret');
});

test('what is told stays short, and so does what is kept', () => {
  const many = Array.from({ length: 9000 }, (_, index) => `/p${index}/* /new 301`);
  const patterns = parseRedirects(many.join('\n'));
  expect(patterns.rules).toHaveLength(500);
  const paths = parseRedirects(many.join('\n').replaceAll('*', ''));
  expect(paths.rules).toHaveLength(2000);
  const blocks = parseHeaders(many.map((line) => `${line.split(' ')[0]}\n X-A: 1`).join('\n'));
  expect(blocks.blocks).toHaveLength(200);
  const one = parseHeaders(`/*\n${'X-A: 1\n'.repeat(9000)}`);
  expect(one.blocks[0]?.set).toHaveLength(100);
  const { warning = '' } = parseRules({ redirects: many.join('\n'), headers: many.join('\n') });
  expect(warning).toContain('and 8498 more in _redirects');
  expect(warning.length).toBeLessThan(700);
  const large = { redirects: { sizeBytes: 300_000 }, headers: undefined };
  expect(parseRules(large).warning).toContain('_redirects has 300000 bytes');
});
