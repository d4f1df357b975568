import { expect, test } from 'vitest';
import type { Zone } from '../../api/zone.ts';
import { object, view } from '../test-scene.ts';
import { recordSets } from './record-sets.ts';

const HOSTS = new Set(['blog.example.com']);

function zone(spec: object = {}): Zone {
  return object('Zone', 'example', { origin: 'example.com', ...spec });
}

/** `name type ttl values`, one line a set. */
function lines(spec: object, nodes: Parameters<typeof recordSets>[1] = []): readonly string[] {
  return recordSets(zone(spec), nodes, HOSTS).records.map(
    ({ name, type, ttlS, values }) => `${name} ${type} ${ttlS} ${values.join(' | ')}`,
  );
}

test('static records become absolute, in names and in values, with the ttl of the zone', () => {
  const records = [
    { name: '@', type: 'MX', ttl: 60, values: ['10 mail', '20 mx.example.net.'] },
    { name: 'MAIL', type: 'A', values: ['192.0.2.9'] },
    { name: '_sip._tcp', type: 'SRV', values: ['0 5 5060 sip'] },
    { name: 'www.example.com.', type: 'CNAME', values: ['@'] },
    { name: '@', type: 'TXT', values: ['v=spf1 -all'] },
  ];
  expect(lines({ records })).toEqual([
    '_sip._tcp.example.com SRV 300 0 5 5060 sip.example.com.',
    'example.com MX 60 10 mail.example.com. | 20 mx.example.net.',
    'example.com TXT 300 "v=spf1 -all"',
    'mail.example.com A 300 192.0.2.9',
    'www.example.com CNAME 300 example.com.',
  ]);
});

test('each nameserver node gets a name with its addresses, if it has any', () => {
  const nodes = [
    view('a', { ipv4: ['192.0.2.1'], ipv6: ['2001:db8::1'] }),
    view('b', { ipv4: [] }),
    view('c', { roles: ['edge'] }),
  ];
  expect(lines({}, nodes)).toEqual([
    'a.ns.example.com A 300 192.0.2.1',
    'a.ns.example.com AAAA 300 2001:db8::1',
    'example.com NS 300 a.ns.example.com.',
  ]);
});

test('declared name servers win, with glue for those that are nodes', () => {
  const nameservers = ['a.ns.example.com', 'ns.example.net', 'ns1.example.com'];
  const nodes = [view('a'), view('b')];
  expect(lines({ nameservers }, nodes)).toEqual([
    'a.ns.example.com A 300 192.0.2.1',
    'example.com NS 300 a.ns.example.com. | ns.example.net. | ns1.example.com.',
  ]);
  expect(recordSets(zone({ nameservers }), nodes, HOSTS).problems).toEqual([
    'ns1.example.com is a name server without an address: add an A or AAAA record',
  ]);
});

test('an address that a person declared for a name server goes before the one of the node', () => {
  const records = [{ name: 'a.ns', type: 'A', values: ['198.51.100.7'] }];
  expect(lines({ records }, [view('a')])).toContain('a.ns.example.com A 300 198.51.100.7');
});

test.each([
  {
    when: 'an A record stands at the host of a Site',
    name: 'blog',
    type: 'A',
    values: ['192.0.2.9'],
  },
  {
    when: 'a CNAME stands at the host of a Site',
    name: 'blog',
    type: 'CNAME',
    values: ['x.example.net.'],
  },
  {
    when: 'the host of a Site is delegated away',
    name: 'blog',
    type: 'NS',
    values: ['ns.example.net.'],
  },
  { when: 'a CNAME stands at the origin', name: '@', type: 'CNAME', values: ['x.example.net.'] },
  { when: 'NS records stand at the origin', name: '@', type: 'NS', values: ['ns.example.net.'] },
  { when: 'a name lies outside', name: 'www.example.org.', type: 'A', values: ['192.0.2.9'] },
])('a record is left out, with a problem, when $when', ({ name, type, values }) => {
  const { records, problems } = recordSets(zone({ records: [{ name, type, values }] }), [], HOSTS);
  expect(records).toEqual([]);
  expect(problems).toHaveLength(1);
});

test.each([
  {
    when: 'a value is one that only an older dom took',
    records: [{ name: 'a', type: 'A', values: ['192.0.2.1', 'x', '192.0.2.2'] }],
    left: ['a.example.com A 300 192.0.2.1 | 192.0.2.2'],
    says: /^a.example.com A x is not an IPv4 address/,
  },
  {
    when: 'a DS has no delegation, for the host of a Site lies below it',
    records: [
      { name: 'blog', type: 'NS', values: ['ns.example.net.'] },
      { name: 'blog', type: 'DS', values: ['1 13 2 \\# 0'] },
    ],
    left: [],
    says: /delegate away/,
  },
  {
    when: 'a DS has no delegation',
    records: [{ name: 'a', type: 'DS', values: [`1 13 2 ${'ab'.repeat(32)}`] }],
    left: [],
    says: /^a.example.com DS is left out, for there are no NS records of its name$/,
  },
  {
    when: 'an ALIAS stands at the host of a Site',
    records: [{ name: 'blog', type: 'ALIAS', values: ['a'] }],
    left: [],
    says: /a Site has this host/,
  },
  {
    when: 'an ALIAS stands beside an address',
    records: [
      { name: 'a', type: 'ALIAS', values: ['b'] },
      { name: 'a', type: 'A', values: ['192.0.2.1'] },
    ],
    left: ['a.example.com A 300 192.0.2.1'],
    says: /^a.example.com ALIAS is left out/,
  },
])('what is wrong is left out, and the rest is served, when $when', ({ records, left, says }) => {
  expect(lines({ records })).toEqual(left);
  expect(recordSets(zone({ records }), [], HOSTS).problems[0]).toMatch(says);
});

test('names and values in several spellings are one', () => {
  const records = [
    { name: '\\119ww', type: 'AAAA', values: ['2001:DB8::1', '2001:db8:0::1'] },
    { name: 'a\\.b', type: 'TXT', values: ['x', '"x"', '"\\120"'] },
    { name: 'h', type: 'HTTPS', values: ['1 . port=1 alpn=h2', '1 . alpn="h2" port=1'] },
  ];
  expect(lines({ records })).toEqual([
    'a\\.b.example.com TXT 300 "x"',
    'h.example.com HTTPS 300 1 . alpn=h2 port=1',
    'www.example.com AAAA 300 2001:db8::1',
  ]);
});

test('other types may stand at the host of a Site', () => {
  expect(lines({ records: [{ name: 'blog', type: 'TXT', values: ['x'] }] })).toHaveLength(1);
});

test('an alias beside other data is left out', () => {
  const records = [
    { name: 'www', type: 'CNAME', values: ['x.example.net.'] },
    { name: 'www', type: 'TXT', values: ['x'] },
  ];
  expect(lines({ records })).toEqual(['www.example.com TXT 300 "x"']);
});

test('sets that were declared twice become one, with the lowest ttl', () => {
  const records = [
    { name: 'www', type: 'A', ttl: 60, values: ['192.0.2.1', '192.0.2.2'] },
    { name: 'www', type: 'A', ttl: 30, values: ['192.0.2.2', '192.0.2.3'] },
  ];
  expect(lines({ records })).toEqual(['www.example.com A 30 192.0.2.1 | 192.0.2.2 | 192.0.2.3']);
});
