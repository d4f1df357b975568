import { expect, test } from 'vitest';
import type { Certificate } from '../../api/certificate.ts';
import type { Release } from '../../api/release.ts';
import type { Site } from '../../api/site.ts';
import { digest, object, served, view } from '../test-scene.ts';
import { planSite, type SiteFacts } from './plan.ts';

const NOW_MS = Date.parse('2026-03-01T12:00:00Z');
const R1 = digest('1');
const HOST = 'blog.example.com';

const site: Site = object(
  'Site',
  'blog',
  { hosts: [HOST], content: { release: R1 } },
  { status: { release: R1 } },
);
const release: Release = object('Release', R1, { site: 'blog', files: 1, sizeBytes: 1 });
const good = served(site, R1);

function certificate(spec: object = {}, status: object = {}): Certificate {
  const Ready = {
    type: 'Ready',
    status: 'True',
    reason: 'Issued',
    message: 'good',
    observedGeneration: 1,
    lastTransitionTime: '',
    ...status,
  };
  const owner = { kind: 'Site', name: 'blog', uid: site.metadata.uid };
  return object(
    'Certificate',
    'blog',
    { names: [HOST], issuer: 'internal', ...spec },
    {
      metadata: { ownerReferences: [owner] },
      status: { fingerprint: 'f1', conditions: [Ready] },
    },
  );
}

function edge(name: string, changed: object = {}, connected = true) {
  return view(name, { connected, report: { sites: [{ ...good, ...changed }] } });
}

const since = { uid: 'z', serial: 7 };
const inZone = { host: HOST, zone: 'default/example', candidates: ['a'], since };

function nameserver(name: string, serial: number | undefined, connected = true) {
  const zones = serial === undefined ? [] : [{ uid: 'z', serial, error: '' }];
  return view(name, { roles: ['nameserver'], connected, report: { zones } });
}

function facts(changed: Partial<SiteFacts>): SiteFacts {
  return {
    site,
    release,
    edges: [edge('a'), edge('b')],
    certificate: certificate(),
    hosts: [inZone],
    nameservers: [nameserver('n', 7), nameserver('m', 9)],
    ...changed,
  };
}

test.each([
  { when: 'all is well', ready: 'True Serving' },
  {
    when: 'a silent edge is behind',
    edges: [edge('a'), edge('b', { serving: '' }, false)],
    ready: 'True Serving',
  },
  { when: 'no edge is connected', edges: [edge('a', {}, false)], ready: 'Unknown EdgesSilent' },
  {
    when: 'an edge serves another release',
    edges: [edge('a', { serving: digest('2') })],
    ready: 'False Releasing',
  },
  {
    when: 'an edge serves an older generation',
    edges: [edge('a', { generation: 0 })],
    ready: 'False Releasing',
  },
  {
    when: 'an edge knows nothing of the site',
    edges: [edge('a', { uid: 'x' })],
    ready: 'False Distributing',
  },
  {
    when: 'an edge has no certificate',
    edges: [edge('a', { certificate: '' })],
    ready: 'False Distributing',
  },
  {
    when: 'an edge has another certificate',
    edges: [edge('a', { certificate: 'f0' })],
    ready: 'False Distributing',
  },
  { when: 'there is no certificate', certificate: undefined, ready: 'False CertificateNotFound' },
  {
    when: 'the certificate lacks the host',
    certificate: certificate({ names: ['x.example.com'] }),
    ready: 'False HostsNotCovered',
  },
  {
    when: 'a wildcard covers the host',
    certificate: certificate({ names: ['*.example.com'] }),
    ready: 'True Serving',
  },
  {
    when: 'a wildcard stands one label too high',
    certificate: certificate({ names: ['*.com'] }),
    ready: 'False HostsNotCovered',
  },
  {
    when: 'the certificate is not ready',
    certificate: certificate({}, { status: 'False', reason: 'IssuerNotFound' }),
    ready: 'False IssuerNotFound',
  },
  {
    when: 'the certificate speaks of an older spec',
    certificate: certificate({}, { observedGeneration: 0 }),
    ready: 'False Issuing',
  },
  {
    when: 'the certificate is still of another issuer',
    certificate: certificate({ issuer: 'other' }),
    ready: 'False Issuing',
  },
  {
    when: 'a nameserver serves the version of before',
    nameservers: [nameserver('n', 7), nameserver('m', 6)],
    ready: 'False Propagating',
  },
  {
    when: 'a nameserver does not serve the zone yet',
    nameservers: [nameserver('n', 7), nameserver('m', undefined)],
    ready: 'False Propagating',
  },
  {
    when: 'a silent nameserver is behind',
    nameservers: [nameserver('n', 7), nameserver('m', 6, false)],
    ready: 'True Serving',
  },
  {
    when: 'no nameserver is connected',
    nameservers: [nameserver('n', 7, false)],
    ready: 'Unknown NameserversSilent',
  },
  { when: 'there is no nameserver', nameservers: [], ready: 'False NoNameservers' },
  {
    when: 'nobody knows since when its zone leads to nodes',
    hosts: [{ host: HOST, zone: 'default/example', candidates: ['a'] }],
    nameservers: [nameserver('n', 1)],
    ready: 'True Serving',
  },
  {
    when: 'there is no nameserver, and no zone',
    hosts: [{ host: HOST, zone: undefined, candidates: [] }],
    nameservers: [],
    ready: 'True Serving',
  },
  {
    when: 'no nameserver could answer',
    hosts: [{ ...inZone, candidates: [] }],
    ready: 'False NoCandidates',
  },
  {
    when: 'the host is outside of every zone',
    hosts: [{ host: HOST, zone: undefined, candidates: [] }],
    ready: 'True Serving',
  },
])('planSite when $when', ({ when: _, ready, ...changed }) => {
  const { conditions = [] } = planSite(facts(changed), NOW_MS).status;
  expect(`${conditions[0]?.status} ${conditions[0]?.reason}`).toBe(ready);
  expect(conditions.every(({ observedGeneration }) => observedGeneration === 1)).toBe(true);
});

test('DnsReady names who is waited for', () => {
  const nameservers = [nameserver('n', 6), nameserver('m', 7), nameserver('o', undefined)];
  const { conditions } = planSite(facts({ nameservers }), NOW_MS).status;
  const found = conditions?.find(({ type }) => type === 'DnsReady');
  expect(found?.message).toBe('waiting for n, o to answer for it');
});

test('a renewal on its way does not unset what held for this generation', () => {
  const held = {
    type: 'CertificateReady',
    status: 'True',
    reason: '',
    message: '',
    lastTransitionTime: '',
    observedGeneration: 1,
  } as const;
  const renewed = (generation: number): Site => ({
    ...site,
    status: { release: R1, conditions: [{ ...held, observedGeneration: generation }] },
  });
  const edges = [edge('a', { certificate: 'f0' })];
  const ready = (of: Site) =>
    planSite(facts({ site: of, edges }), NOW_MS).status.conditions?.[0]?.status;
  expect(ready(renewed(1))).toBe('True');
  expect(ready(renewed(0))).toBe('False');
});

test('a host outside of every zone: the message says which records to create', () => {
  const hosts = [{ host: HOST, zone: undefined, candidates: [] }];
  const edges = [
    view('a', { ipv4: ['192.0.2.1'], ipv6: ['2001:db8::1'], report: { sites: [good] } }),
  ];
  const { status } = planSite(facts({ hosts, edges }), NOW_MS);
  const found = status.conditions?.find(({ type }) => type === 'DnsConfigured');
  expect(found?.status).toBe('Unknown');
  expect(found?.message).toContain('A 192.0.2.1, AAAA 2001:db8::1');
  expect(status.dns).toBeUndefined();
});

test('lines of its rules that edges skip are told, and hold nothing up', () => {
  const warning = '_redirects:3: "/a" leads nowhere; write where to';
  const silent = edge('b', { warning: '_redirects:1: of another release' }, false);
  const { conditions = [] } = planSite(
    facts({ edges: [edge('a', { warning }), silent] }),
    0,
  ).status;
  const of = (type: string) => conditions.find((each) => each.type === type);
  expect(of('RulesRead')).toMatchObject({
    status: 'False',
    reason: 'LinesSkipped',
    message: warning,
  });
  expect(of('Ready')?.status).toBe('True');
  const mended = planSite(facts({}), 0).status.conditions ?? [];
  expect(mended.some(({ type }) => type === 'RulesRead')).toBe(false);
});

test.each([
  {
    when: 'they are hashed',
    access: { users: [{ name: 'ann', of: '', hash: '' }] },
    says: 'True Hashed',
  },
  { when: 'they are not yet', access: undefined, says: 'False Hashing' },
  {
    when: 'they are of an earlier Site',
    access: { siteUid: 'x', users: [] },
    says: 'False Hashing',
  },
  {
    when: 'there is no Secret',
    access: { users: [], problem: { reason: 'SecretNotFound', message: 'there is none' } },
    says: 'False SecretNotFound',
  },
])('a Site that asks for passwords is ready when $when: $says', ({ access, says }) => {
  const auth = { secret: 'staff', realm: 'r', paths: ['/*'] };
  const asking = { ...site, spec: { ...site.spec, auth } };
  const record = access && { siteUid: site.metadata.uid, secret: 'staff', ...access };
  const { conditions = [] } = planSite(facts({ site: asking, access: record }), 0).status;
  const of = (type: string) => conditions.find((each) => each.type === type);
  expect(`${of('PasswordsReady')?.status} ${of('PasswordsReady')?.reason}`).toBe(says);
  expect(of('Ready')?.status).toBe(says.split(' ')[0]);
});

test('the message of Ready is what people look for', () => {
  expect(planSite(facts({}), NOW_MS).status).toMatchObject({
    conditions: [{ message: 'released on 2/2 nodes' }, {}, {}, {}, {}],
    certificate: 'blog',
    dns: { zones: ['default/example'], candidates: ['a'] },
  });
});
