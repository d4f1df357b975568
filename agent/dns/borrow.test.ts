import { describe, expect, test } from 'vitest';
import { foreignNames } from './borrow.ts';
import {
  ask,
  clientSubnet,
  geoName,
  node,
  opt,
  queryBytes,
  records,
  SERIAL,
  snapshotOf,
  zonePlan,
} from './dns.fixture.ts';
import { type ForeignAddresses } from './foreign/addresses.ts';
import { parseAddress } from './geo/address.ts';
import { nameText, parseName } from './message/name.ts';
import { askFor, optionsOf, type Said, whole } from './rfc/rfc.fixture.ts';
import { typesAt } from './zone/zone.ts';

const alias = (name: string, target: string, ttlS = 600) => ({
  ...records(name, 'ALIAS', target),
  ttlS,
});
const soa = `t SOA ns1.t hostmaster.t ${SERIAL} 3600 600 86400 300`;
const addresses = (text: string, given: Partial<ForeignAddresses> = {}): ForeignAddresses => ({
  addresses: text.split(' ').flatMap((each) => parseAddress(each) ?? []),
  ...{ ttlS: 120, age: 'fresh', ...given },
});

const KNOWN: Readonly<Record<string, ForeignAddresses>> = {
  'cdn.elsewhere.test A': addresses('203.0.113.1 203.0.113.2'),
  'cdn.elsewhere.test AAAA': addresses(''),
  'old.elsewhere.test A': addresses('203.0.113.3', { age: 'stale', ttlS: 30 }),
};

const snapshot = {
  ...snapshotOf({
    zones: [
      zonePlan('t', {
        records: [
          records('t', 'MX', '10 mail.t'),
          alias('t', 'cdn.elsewhere.test'),
          alias('here.t', 'host.other'),
          alias('short.t', 'cdn.elsewhere.test', 20),
          alias('via.t', 'cname.other'),
          alias('out.t', 'away.other'),
          alias('geo.t', 'site.other'),
          alias('again.t', 'geo.t'),
          alias('none.t', 'no.other'),
          alias('delegated.t', 'www.sub.other'),
          alias('unknown.t', 'new.elsewhere.test'),
          alias('stale.t', 'old.elsewhere.test'),
          alias('self.t', 'self.t'),
          alias('ring.t', 'gnir.t'),
          alias('gnir.t', 'ring.t'),
          records('loop.t', 'CNAME', 'pool.t'),
          records('pool.t', 'CNAME', 'loop.t'),
          alias('looped.t', 'loop.t'),
          records('www.t', 'CNAME', 't'),
        ],
      }),
      zonePlan('other', {
        records: [
          { ...records('host.other', 'A', '192.0.2.1', '192.0.2.2'), ttlS: 50 },
          { ...records('cname.other', 'CNAME', 'host.other'), ttlS: 40 },
          records('away.other', 'CNAME', 'cdn.elsewhere.test'),
          records('sub.other', 'NS', 'ns.elsewhere.test'),
        ],
        geoNames: [geoName('site.other', { candidates: ['berlin', 'tokyo'] })],
      }),
    ],
    nodes: [
      node('berlin', { ipv4: ['192.0.2.50'], latitude: 52, longitude: 13 }),
      node('tokyo', { ipv4: ['192.0.2.60'], latitude: 35, longitude: 139 }),
    ],
    locate: (address) => ({
      ...{ latitude: address[0] === 1 ? 35 : 52, longitude: address[0] === 1 ? 139 : 13 },
      ...{ prefixBits: 8, source: 'test' },
    }),
  }),
  lookUpForeign: (name: Parameters<typeof nameText>[0], family: 'A' | 'AAAA') =>
    KNOWN[`${nameText(name)} ${family}`],
};

describe('a name that borrows its addresses (ALIAS)', () => {
  test.each<{ when: string; name: string; type?: string } & Said>([
    {
      when: 'from a name of others',
      name: 't',
      answers: ['t A 203.0.113.1', 't A 203.0.113.2'],
    },
    { when: 'which has none of this family', name: 't', type: 'AAAA', authorities: [soa] },
    {
      when: 'from a name of ours',
      name: 'here.t',
      answers: ['here.t A 192.0.2.1', 'here.t A 192.0.2.2'],
    },
    {
      when: 'through an alias',
      name: 'via.t',
      answers: ['via.t A 192.0.2.1', 'via.t A 192.0.2.2'],
    },
    {
      when: 'through an alias of ours that leads away',
      name: 'out.t',
      answers: ['out.t A 203.0.113.1', 'out.t A 203.0.113.2'],
    },
    { when: 'from a geo name', name: 'geo.t', answers: ['geo.t A 192.0.2.50'] },
    { when: 'from one that borrows itself', name: 'again.t', answers: ['again.t A 192.0.2.50'] },
    { when: 'which does not exist: it does all the same', name: 'none.t', authorities: [soa] },
    {
      when: 'and an alias leads to it',
      name: 'www.t',
      answers: ['www.t CNAME t', 't A 203.0.113.1', 't A 203.0.113.2'],
    },
    { when: 'and other data is as ever', name: 't', type: 'MX', answers: ['t MX 10 mail.t'] },
    { when: 'and there is no other data', name: 'geo.t', type: 'TXT', authorities: [soa] },
    {
      when: 'and everything is asked for',
      name: 'geo.t',
      type: 'ANY',
      answers: ['geo.t HINFO RFC8482 '],
    },
    { when: 'not yet known', name: 'unknown.t', rcode: 'SERVFAIL', aa: false },
    {
      when: 'delegated to others, and not yet known',
      name: 'delegated.t',
      rcode: 'SERVFAIL',
      aa: false,
    },
    { when: 'from itself', name: 'self.t', rcode: 'SERVFAIL', aa: false },
    { when: 'in a ring', name: 'ring.t', rcode: 'SERVFAIL', aa: false },
    { when: 'from a ring of aliases', name: 'looped.t', rcode: 'SERVFAIL', aa: false },
  ])('$when', ({ name, type = 'A', when: _, ...expected }) => {
    expect(askFor(snapshot, name, type)).toEqual(whole(expected));
  });

  test.each([
    { name: 't', ttlS: 120 },
    { name: 'short.t', ttlS: 20 },
    { name: 'here.t', ttlS: 50 },
    { name: 'via.t', ttlS: 40 },
    { name: 'geo.t', ttlS: 30 },
    { name: 'stale.t', ttlS: 30 },
  ])('$name holds for the least on the way: $ttlS s', ({ name, ttlS }) => {
    expect(ask(snapshot, queryBytes(name, 'A')).answers?.[0]).toMatchObject({ ttl: ttlS });
  });

  test.each([
    { name: 'unknown.t', says: 'Not Ready', options: ['15 000e'] },
    { name: 'stale.t', says: 'Stale Answer', options: ['15 0003'] },
    { name: 'self.t', says: 'Other', options: ['15 0000'] },
    { name: 't', says: 'nothing', options: [] },
  ])('$name says why: $says (RFC 8914)', ({ name, options }) => {
    expect(optionsOf(ask(snapshot, queryBytes(name, 'A', opt())))).toEqual(options);
  });

  test('the place of the client decides, and the scope says so', () => {
    for (const [ip, edge] of [
      ['1.2.3.0', '192.0.2.60'],
      ['2.2.3.0', '192.0.2.50'],
    ] as const) {
      const reply = ask(snapshot, queryBytes('again.t', 'A', opt([clientSubnet(ip, 24)])));
      expect(reply.answers?.map((answer) => (answer as { data?: unknown }).data)).toEqual([edge]);
      expect(optionsOf(reply)?.[0]?.slice(0, 10)).toBe('8 00011808');
    }
  });

  test('an answer that is the same for all has scope 0', () => {
    const reply = ask(snapshot, queryBytes('here.t', 'A', opt([clientSubnet('1.2.3.0', 24)])));
    expect(optionsOf(reply)).toEqual(['8 00011800010203']);
  });

  test('a plane that asks nobody says that it is not ready', () => {
    const { lookUpForeign: _, ...without } = snapshot;
    expect(askFor(without, 't', 'A').rcode).toBe('SERVFAIL');
    expect(askFor(without, 'here.t', 'A').rcode).toBe('NOERROR');
  });
});

test('the names that others are asked for', () => {
  expect([...foreignNames(snapshot.zones)].map(nameText).toSorted()).toEqual([
    'cdn.elsewhere.test',
    'new.elsewhere.test',
    'old.elsewhere.test',
    'www.sub.other',
  ]);
});

test('the types of such a name, for whoever proves what is not there', () => {
  const types = (zone: string, name: string) => {
    const at = snapshot.zones
      .get(parseName(zone) ?? nothing)
      ?.nodes.get(parseName(name) ?? nothing);
    return at === undefined ? [] : typesAt(at);
  };
  const nothing = '' as NonNullable<ReturnType<typeof parseName>>;
  expect(types('t', 't')).toEqual([1, 6, 15, 28]);
  expect(types('other', 'site.other')).toEqual([1, 28]);
});

test.each([
  { when: 'two targets', given: [records('t', 'ALIAS', 'a.u', 'b.u')], error: 'more than one' },
  { when: 'twice', given: [alias('t', 'a.u'), alias('t', 'b.u')], error: 'more than one' },
  {
    when: 'an address beside it',
    given: [alias('t', 'a.u'), records('t', 'AAAA', '::1')],
    error: 'ALIAS beside',
  },
  {
    when: 'a CNAME beside it',
    given: [alias('a.t', 'a.u'), records('a.t', 'CNAME', 'b.t')],
    error: 'CNAME beside',
  },
  { when: 'no name', given: [alias('t', 'a b')], error: 'is not a name' },
])('a zone is refused with $when', ({ given, error }) => {
  expect(() => snapshotOf({ zones: [zonePlan('t', { records: given })] })).toThrow(error);
});
