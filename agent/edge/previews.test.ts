import { expect, test } from 'vitest';
import { digestOf } from '../../runtime/content/digest.ts';
import { chooseCertificates } from './certificate-table.ts';
import { compileRelease } from './release.ts';
import { respond } from './respond.ts';
import { compileEdge } from './site-table.ts';
import type { EdgeCertificate, EdgePreview, EdgeSite } from './snapshot.ts';

const release = (digits: string, text: string) =>
  compileRelease(`sha256-${digits.padEnd(64, '0')}`, [
    {
      ...{ path: 'index.html', contentType: 'text/html' },
      ...{ digest: digestOf(Buffer.from(text)), sizeBytes: text.length },
    },
  ]);

const SERVED = release('aaaaaaaaaaaa', 'now');
const NEXT = release('bbbbbbbbbbbb', 'soon');
const HOST = 'bbbbbbbbbbbb--blog.preview.example.com';
const COMING = 'cccccccccccc--blog.preview.example.com';

function site(
  previews: readonly EdgePreview[] = [{ host: HOST, release: NEXT.digest }, { host: COMING }],
  more: Partial<EdgeSite> = {},
): EdgeSite {
  return {
    ...{ uid: 'u1', namespace: 'default', name: 'blog', release: SERVED.digest, previews },
    ...{ hosts: ['blog.example.com', 'www.example.com'], notFoundPage: '', singlePageApp: false },
    ...{ headers: [], redirects: [], ...more },
  };
}

function ask(host: string, given: { sites?: readonly EdgeSite[]; secure?: boolean } = {}) {
  const { sites = [site()], secure = true } = given;
  const table = compileEdge(
    { sites, certificates: [], httpsPort: 443 },
    {
      nodeName: 'london',
      releaseOf: () => SERVED,
      previewOf: (each) => (each === HOST ? NEXT : undefined),
    },
  );
  const response = respond({ method: 'GET', path: '/', host, headers: {}, secure }, table);
  return { status: response.status, ...Object.fromEntries(response.headers) };
}

test('a preview answers with its own release, and is left out by search engines', () => {
  expect(ask(HOST)).toMatchObject({
    ...{ status: 200, 'b8s-release': 'bbbbbbbbbbbb', 'x-robots-tag': 'noindex' },
  });
  expect(ask('blog.example.com')).toMatchObject({ status: 200, 'b8s-release': 'aaaaaaaaaaaa' });
  expect(ask('blog.example.com')).not.toHaveProperty('x-robots-tag');
});

test.each([
  { when: 'its release is still on its way', host: COMING, status: 503, robots: 'noindex' },
  {
    when: 'it is not kept any more',
    host: 'dddddddddddd--blog.preview.example.com',
    status: 404,
    robots: 'noindex',
  },
  {
    when: 'it is of another site',
    host: 'dddddddddddd--shop.preview.example.com',
    status: 421,
    robots: undefined,
  },
  { when: 'it has no digits', host: 'x--blog.preview.example.com', status: 421, robots: undefined },
  { when: 'it is the domain itself', host: 'preview.example.com', status: 421, robots: undefined },
])('$host is answered with $status when $when', ({ host, status, robots }) => {
  const answer: Readonly<Record<string, unknown>> = ask(host);
  expect([answer['status'], answer['x-robots-tag']]).toEqual([status, robots]);
});

test('no rule of the site lets it be found, and nobody is sent to the canonical host', () => {
  const rules = [
    { path: '/*', name: 'X-Robots-Tag', value: 'all' },
    { path: '/*', name: 'x-robots-tag', value: '' },
  ];
  const options: EdgeSite['options'] = {
    canonicalHost: true,
    hideHtml: false,
    trailingSlash: 'auto',
    immutableAssets: false,
    hsts: { maxAgeS: 60, includeSubdomains: false, preload: false },
    securityHeaders: 'none',
    mimeTypes: new Map(),
  };
  for (const header of rules) {
    const sites = [site(undefined, { headers: [header], options })];
    expect(ask(HOST, { sites })).toMatchObject({
      ...{ status: 200, 'x-robots-tag': 'noindex' },
      'strict-transport-security': 'max-age=60',
    });
    expect(ask('www.example.com', { sites })).toMatchObject({ status: 308 });
  }
});

test('over plain HTTP it is sent to HTTPS at its own host', () => {
  expect(ask(HOST, { secure: false })).toMatchObject({ status: 308, location: `https://${HOST}/` });
});

test('a host of a site goes before a preview of that name', () => {
  const other = { ...site([]), uid: 'u2', hosts: [HOST] };
  expect(ask(HOST, { sites: [site(), other] })).toMatchObject({ 'b8s-release': 'aaaaaaaaaaaa' });
});

function certificate(fingerprint: string, ...names: readonly string[]): EdgeCertificate {
  return { fingerprint, names, chainPem: '', keyPem: '' };
}

test.each([
  {
    when: 'only the one for previews covers them',
    own: ['blog.example.com', 'www.example.com'],
    chosen: 'shared',
  },
  { when: "the site's own covers them", own: ['*.preview.example.com'], chosen: 'own' },
])('previews, also former ones, get $chosen when $when', ({ own, chosen }) => {
  const sites = [site(undefined, { certificate: 'own', previewCertificate: 'shared' })];
  const certificates = [
    certificate('other', '*.preview.example.com'),
    certificate('shared', '*.preview.example.com'),
    certificate('own', ...own),
  ];
  const table = chooseCertificates({ sites, certificates, httpsPort: 443 });
  for (const host of [HOST, COMING, '--blog.preview.example.com'])
    expect(table.get(host)?.fingerprint).toBe(chosen);
});
