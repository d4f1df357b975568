import { expect, test } from 'vitest';
import { fakePublicDns } from '../../runtime/dns/fake-public-dns.ts';
import { caaObstacle } from './caa.ts';
import { acmeScene, finish, issuanceOf, materialOf, order } from './test-acme.ts';

const question = {
  ...{ name: 'a.example.com', identities: ['ca.test'], accountUrl: 'https://ca.test/account/1' },
  ways: ['dns-01'] as const,
};

test.each([
  { rfc: '8659 §4.2: allowed', records: ['0 issue ca.test'], forbidden: undefined },
  {
    rfc: '8659 §4.2: one of several',
    records: ['0 issue x.test', '0 issue CA.test'],
    forbidden: undefined,
  },
  { rfc: '8659 §4.2: another CA', records: ['0 issue x.test'], forbidden: 'add 0 issue "ca.test"' },
  { rfc: '8659 §4.2: nobody', records: ['0 issue ;'], forbidden: 'do not allow' },
  {
    rfc: '8659 §4.2: nothing about issuing',
    records: ['0 iodef mailto:a@b'],
    forbidden: undefined,
  },
  { rfc: '8659 §4.3: only for wildcards', records: ['0 issuewild x.test'], forbidden: undefined },
  {
    rfc: '8659 §4.3: wildcard',
    name: '*.example.com',
    records: ['0 issuewild ca.test', '0 issue ;'],
    forbidden: undefined,
  },
  {
    rfc: '8659 §4.3: no wildcard',
    name: '*.example.com',
    records: ['0 issuewild ;', '0 issue ca.test'],
    forbidden: 'do not allow',
  },
  {
    rfc: '8659 §4.3: as any name',
    name: '*.example.com',
    records: ['0 issue ca.test'],
    forbidden: undefined,
  },
  {
    rfc: '8659 §4.1: critical and unknown',
    records: ['128 tbs x', '0 issue ca.test'],
    forbidden: 'critical',
  },
  { rfc: '8659 §4.1: unknown', records: ['0 tbs x', '0 issue ca.test'], forbidden: undefined },
  {
    rfc: '8657 §3: our account',
    records: ['0 issue ca.test; accounturi=https://ca.test/account/1'],
    forbidden: undefined,
  },
  {
    rfc: '8657 §3: another',
    records: ['0 issue ca.test; accounturi=https://ca.test/account/2'],
    forbidden: 'do not allow',
  },
  {
    rfc: '8657 §4: our way',
    records: ['0 issue ca.test; validationmethods=http-01,dns-01'],
    forbidden: undefined,
  },
  {
    rfc: '8657 §4: another way',
    records: ['0 issue ca.test;validationmethods=http-01'],
    forbidden: 'do not allow',
  },
  { rfc: 'what is no record', records: ['nonsense', ''], forbidden: undefined },
])('RFC $rfc', ({ records, forbidden, name = 'a.example.com' }) => {
  const found = caaObstacle({ ...question, name }, { at: 'example.com', records });
  if (forbidden === undefined) expect(found).toBeUndefined();
  else expect(found).toContain(forbidden);
});

/** What the world is told when all is well. */
function world(): ReturnType<typeof fakePublicDns> {
  const dns = fakePublicDns();
  dns.set('example.com', 'NS', ['ns.example.com']);
  dns.set('www.elsewhere.test', 'A', ['192.0.2.1']);
  return dns;
}

test.each([
  { when: 'all is well', mend: undefined },
  { when: 'nobody can tell', set: ['example.com', 'NS', 'fails'], mend: undefined },
  {
    when: 'the zone is delegated elsewhere',
    set: ['example.com', 'NS', ['ns.other.test']],
    mend: 'delegated to ns.other.test, not to us',
  },
  { when: 'the zone is not delegated', set: ['example.com', 'NS', []], mend: 'delegated nowhere' },
  {
    when: 'CAA forbids it',
    set: ['example.com', 'CAA', ['0 issue x.test']],
    mend: 'add 0 issue "ca.test"',
  },
  {
    when: 'CAA nearer by allows it',
    set: ['blog.example.com', 'CAA', ['0 issue ca.test']],
    mend: undefined,
  },
  {
    when: 'the edges are elsewhere',
    names: ['www.elsewhere.test'],
    set: ['www.elsewhere.test', 'A', ['203.0.113.9']],
    mend: 'leads to 203.0.113.9',
  },
  {
    when: 'the host has no address',
    names: ['www.elsewhere.test'],
    set: ['www.elsewhere.test', 'A', []],
    mend: 'has no address',
  },
  { when: 'the host leads to an edge', names: ['www.elsewhere.test'], mend: undefined },
] as const)('before the CA is asked, when $when', async ({ mend, ...given }) => {
  const dns = world();
  const at = await acmeScene({ publicDns: dns, nameservers: ['ns.example.com.'] });
  if ('set' in given) dns.set(...(given.set as Parameters<typeof dns.set>));
  const names = 'names' in given ? given.names : ['blog.example.com'];
  await order(at, { names });
  if (mend === undefined) expect(materialOf(at)).toBeDefined();
  else {
    expect(at.ca.orders).toEqual([]);
    expect(issuanceOf(at)?.failure).toMatchObject({ reason: 'selfCheck' });
    expect(issuanceOf(at)?.failure?.message).toContain(mend);
    expect(issuanceOf(at)?.tries).toEqual([]);
  }
  await at.end();
});

test('what is mended is found within a quarter of an hour; turned off, nobody looks', async () => {
  const dns = world();
  dns.set('example.com', 'NS', []);
  const at = await acmeScene({ publicDns: dns, nameservers: ['ns.example.com.'] });
  await order(at, { ms: 7_200_000 });
  dns.set('example.com', 'NS', ['ns.example.com']);
  await finish(at, 16 * 60_000);
  expect(materialOf(at)).toBeDefined();
  await at.end();
  const off = await acmeScene({ publicDns: dns, acme: { selfCheck: 'none' } });
  dns.set('example.com', 'NS', []);
  await order(off);
  expect(materialOf(off)).toBeDefined();
  await off.end();
});

test.each([
  {
    when: 'the zone is not delegated to us, but the host leads to an edge',
    set: [
      ['example.com', 'NS', ['ns.other.test']],
      ['blog.example.com', 'A', ['192.0.2.1']],
    ],
    way: 'http-01',
  },
  {
    when: 'CAA wants it proven by HTTP (RFC 8657 §4)',
    set: [['example.com', 'CAA', ['0 issue ca.test; validationmethods=http-01']]],
    way: 'http-01',
  },
  {
    when: 'CAA wants it proven by TLS',
    set: [['blog.example.com', 'CAA', ['0 issue ca.test; validationmethods=tls-alpn-01']]],
    way: 'tls-alpn-01',
  },
  { when: 'nothing stands in the way', set: [], way: 'dns-01' },
] as const)('the way that is open is gone, when $when', async ({ set, way }) => {
  const dns = world();
  for (const [name, type, answer] of set) dns.set(name, type, answer);
  const at = await acmeScene({ publicDns: dns, nameservers: ['ns.example.com.'] });
  const looked: string[] = [];
  at.looks(async ({ type }) => {
    looked.push(type);
    return undefined;
  });
  await order(at);
  expect(looked).toEqual([way]);
  expect(materialOf(at)).toBeDefined();
  await at.end();
});

test('a wildcard, and a name that is to be proven by DNS, are told why when that is blocked', async () => {
  const dns = world();
  dns.set('example.com', 'CAA', ['0 issue ca.test; validationmethods=http-01']);
  const at = await acmeScene({ publicDns: dns, nameservers: ['ns.example.com.'] });
  await order(at, { names: ['*.example.com', 'example.com'] });
  expect(at.ca.orders).toEqual([]);
  expect(issuanceOf(at)?.failure?.message).toMatch(/^\*\.example\.com: the CAA records/);
  await at.end();
});

test('in a zone of ours that is delegated elsewhere, hosts must lead to an edge as others do', async () => {
  const dns = world();
  dns.set('example.com', 'NS', ['ns.other.test']);
  const acme = { challenge: 'http-01' };
  const at = await acmeScene({ publicDns: dns, nameservers: ['ns.example.com.'], acme });
  await order(at);
  expect(issuanceOf(at)?.failure?.message).toContain('has no address');
  await at.end();
});
