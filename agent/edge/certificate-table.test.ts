import { expect, test } from 'vitest';
import { chooseCertificates } from './certificate-table.ts';
import type { EdgeCertificate, EdgeSite } from './snapshot.ts';

function certificate(fingerprint: string, ...names: readonly string[]): EdgeCertificate {
  return { fingerprint, names, chainPem: '', keyPem: '' };
}

function site(hosts: readonly string[], preferred?: string): EdgeSite {
  return {
    uid: hosts.join(),
    namespace: 'default',
    name: 'a',
    hosts,
    notFoundPage: '',
    singlePageApp: false,
    headers: [],
    redirects: [],
    ...(preferred === undefined ? {} : { certificate: preferred }),
  };
}

const certificates = [
  certificate('exact', 'a.example.com'),
  certificate('wild', '*.example.com'),
  certificate('both', 'a.example.com', '*.example.com'),
];

test.each([
  {
    when: 'one names it',
    sites: [site(['a.example.com'])],
    host: 'a.example.com',
    chosen: 'exact',
  },
  {
    when: 'the site prefers one that covers it',
    sites: [site(['a.example.com'], 'both')],
    host: 'a.example.com',
    chosen: 'both',
  },
  {
    when: 'the site prefers one by wildcard',
    sites: [site(['a.example.com'], 'wild')],
    host: 'a.example.com',
    chosen: 'wild',
  },
  {
    when: 'the preferred one does not cover it',
    sites: [site(['b.example.com'], 'exact')],
    host: 'b.example.com',
    chosen: 'wild',
  },
  {
    when: 'the preferred one is not there',
    sites: [site(['b.example.com'], 'gone')],
    host: 'b.example.com',
    chosen: 'wild',
  },
  {
    when: 'a wildcard would have to stand for two labels',
    sites: [site(['a.b.example.com'])],
    host: 'a.b.example.com',
    chosen: undefined,
  },
  {
    when: 'it is the apex',
    sites: [site(['example.com'])],
    host: 'example.com',
    chosen: undefined,
  },
  {
    when: 'no site has it',
    sites: [site(['a.example.com'])],
    host: 'b.example.com',
    chosen: undefined,
  },
])('$host gets $chosen when $when', ({ sites, host, chosen }) => {
  const table = chooseCertificates({ sites, certificates, httpsPort: 443 });
  expect(table.get(host)?.fingerprint).toBe(chosen);
});

test('only hosts of sites are in the table', () => {
  const table = chooseCertificates({
    sites: [site(['a.example.com'])],
    certificates,
    httpsPort: 443,
  });
  expect([...table.keys()]).toEqual(['a.example.com']);
});
