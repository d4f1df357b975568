import { describe, expect, test } from 'vitest';
import { answerQuery, type DnsClient } from '../answer.ts';
import { createCookies } from '../cookie/cookies.ts';
import {
  clientSubnet,
  geoName,
  opt,
  queryBytes,
  records,
  snapshotOf,
  UDP_CLIENT,
  zonePlan,
} from '../dns.fixture.ts';
import { clientBytes } from '../geo/address.ts';
import { seededRandom } from '../seeded.fixture.ts';
import type { DnsSnapshot } from '../snapshot.ts';
import { ANSWERS_MAX } from './answer-table.ts';
import { FastPath } from './fast-path.ts';
import {
  type Draw,
  drawFrom,
  drawNeighbour,
  drawQuery,
  drawZones,
  locateByPrefix,
  NODES,
} from './random-world.fixture.ts';

const SEED = 0xfa57;
const WORLDS = 120;
const QUERIES = 60;
/** Which of the answers are asked for again is for the table to find out. */
const ROUNDS = 5;
const NOW_MS = 1_795_000_000_000;
const COOKIES = createCookies([Buffer.alloc(16, 1), Buffer.alloc(16, 2)]);

test(`${WORLDS} worlds (seed ${SEED}): the fast path gives what the general path gives, byte for byte`, () => {
  let composed = 0;
  for (let world = 0; world < WORLDS; world += 1) {
    const draw = drawFrom(seededRandom(SEED + world));
    const plans = drawZones(draw);
    const health = new Map(NODES.map(({ name }) => [name, draw.below(4) > 0] as const));
    const cookies = draw.below(3) > 0 ? COOKIES : undefined;
    const facts = { nodes: NODES, locate: locateByPrefix, health };
    const fast = new FastPath({ ...snapshotOf({ zones: plans, ...facts }), cookies });
    const queries = Array.from({ length: QUERIES }, () => drawQuery(draw, plans));
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [index, query] of queries.entries()) {
        compare(fast, query, drawClient(draw), `seed ${SEED + world}, query ${index}`);
      }
    }
    composed += fast.counters().composed;
  }
  expect(composed).toBeGreaterThan((WORLDS * QUERIES * ROUNDS) / 8);
});

const CLIENTS = ['198.51.100.7', '2.3.4.5', '2001:db8::7', '::ffff:4.5.6.7', 'odd'] as const;

function drawClient(draw: Draw): DnsClient {
  const address = draw.pick([
    `${draw.below(256)}.7.8.${draw.below(256)}`,
    drawNeighbour(draw),
    draw.pick(CLIENTS),
  ]);
  return { address, transport: draw.pick(['udp', 'udp', 'tcp', 'tls']) };
}

/** Where queries lie, with what others left behind, and where answers are written. */
const ROOM = Buffer.alloc(600, 0xaa);
const OUT = Buffer.alloc(4096);

function compare(
  fast: FastPath,
  query: Buffer,
  client: DnsClient,
  what: string,
  isOverloaded = () => false,
): void {
  const context = { snapshot: fast.snapshot, client, nowMs: NOW_MS, isOverloaded };
  const before = Buffer.from(query);
  const reply = fast.answer(query, context);
  if (!query.equals(before)) throw new Error(`${what}: the query was changed`);
  query.copy(ROOM);
  const length = fast.answerInto(ROOM, query.length, context, OUT.fill(0xaa));
  const expected = Buffer.from(answerQuery(query, context) ?? []);
  for (const given of [reply, length === 0 ? undefined : OUT.subarray(0, length)]) {
    if (given === undefined || expected.equals(given)) continue;
    const [asked, got] = [query, given].map((bytes) => Buffer.from(bytes).toString('hex'));
    const client_ = JSON.stringify(client);
    throw new Error(`${what} ${asked} of ${client_}:\n${got}\n${expected.toString('hex')}`);
  }
}

const ZONE = zonePlan('example.com', {
  records: [
    records('example.com', 'NS', 'ns1.example.com', 'ns2.example.com'),
    records('ns1.example.com', 'A', '192.0.2.53'),
    records('www.example.com', 'A', '192.0.2.1'),
    records('alias.example.com', 'CNAME', 'geo.example.com'),
    records('*.wild.example.com', 'MX', '10 mail.wild.example.com'),
    records('child.example.com', 'NS', 'ns.child.example.com'),
    records('ns.child.example.com', 'A', '192.0.2.99'),
    records('loan.example.com', 'ALIAS', 'shop.example.net'),
    records('big.example.com', 'TXT', ...Array.from({ length: 60 }, (_, i) => `${i} `.repeat(9))),
  ],
  geoNames: [geoName('geo.example.com', { candidates: ['berlin', 'tokyo', 'lima'] })],
});
const snapshot = snapshotOf({ zones: [ZONE], nodes: NODES, locate: locateByPrefix });
const CLIENT_COOKIE = Buffer.from('2464c4abcf10c957', 'hex');
const NSID = { code: 'NSID', data: Buffer.alloc(0) };

/** The server cookie that this client got some time ago. */
function givenTo(client: DnsClient, nowMs: number): Uint8Array {
  const asked = { cookie: { client: CLIENT_COOKIE, server: Buffer.alloc(0) }, nowMs };
  return COOKIES?.judge({ ...asked, client: clientBytes(client) }).server ?? Buffer.alloc(0);
}

const subnet = (ip: string, bits = 24): ReturnType<typeof opt> => opt([clientSubnet(ip, bits)]);

/** How many of three askings the fast path answered, rightly, both as a message and a datagram. */
function composedOf(
  query: Buffer,
  client: DnsClient = UDP_CLIENT,
  world: DnsSnapshot = snapshot,
): number {
  const fast = new FastPath(world);
  for (let count = 0; count < 3; count += 1) compare(fast, query, client, 'one of three');
  return fast.counters().composed / 2;
}

test.each([
  { when: 'an address', query: queryBytes('www.example.com', 'A') },
  { when: 'with EDNS', query: queryBytes('www.example.com', 'A', opt()) },
  {
    when: 'with DO, in a zone without signatures',
    query: queryBytes('www.example.com', 'A', opt([], { flags: 0x8000 })),
  },
  {
    when: 'with a client subnet that does not matter',
    query: queryBytes('www.example.com', 'A', subnet('1.2.3.0')),
  },
  { when: 'no data', query: queryBytes('www.example.com', 'AAAA') },
  { when: 'no such name', query: queryBytes('no.such.example.com', 'A', opt()) },
  { when: 'a wildcard’s', query: queryBytes('x.wild.example.com', 'MX') },
  { when: 'a referral', query: queryBytes('x.child.example.com', 'A') },
  { when: 'a geo name', query: queryBytes('geo.example.com', 'A', subnet('1.2.3.0')) },
  {
    when: 'a geo name, by IPv6',
    query: queryBytes('geo.example.com', 'A', subnet('2001:db8::', 48)),
  },
  {
    when: 'a geo name, by the resolver’s address',
    query: queryBytes('geo.example.com', 'A', subnet('0.0.0.0', 0)),
  },
  {
    when: 'a geo name without addresses of the family',
    query: queryBytes('geo.example.com', 'AAAA'),
  },
  { when: 'an alias to a geo name', query: queryBytes('alias.example.com', 'A') },
])('$when: made from parts', ({ query }) => {
  expect(composedOf(query)).toBe(3);
  expect(composedOf(query, { ...UDP_CLIENT, transport: 'tcp' })).toBe(3);
});

test.each([
  { when: 'too long for the client', query: queryBytes('big.example.com', 'TXT', opt()) },
  { when: 'not our zone', query: queryBytes('www.example.net', 'A') },
  { when: 'addresses that others answer for', query: queryBytes('loan.example.com', 'A') },
  {
    when: 'an option that asks for more',
    query: queryBytes('www.example.com', 'A', opt([{ code: 'NSID', data: Buffer.alloc(0) }])),
  },
  { when: 'a type that hardly anybody asks for', query: queryBytes('www.example.com', 'ANY') },
  { when: 'a name that the answer mentions', query: queryBytes('x.hostmaster.example.com', 'A') },
])('$when: left to the general path', ({ query }) => {
  expect(composedOf(query)).toBe(0);
});

/** As BIND sends one by default (RFC 7873 §5.1), alone or beside what else a resolver says. */
describe('a cookie', () => {
  const world = { ...snapshot, cookies: COOKIES };
  const asked = (...options: readonly object[]) =>
    queryBytes('geo.example.com', 'A', opt([...options]));
  const cookie = (server: Uint8Array | string): object => ({
    code: 'COOKIE',
    data: Buffer.concat([CLIENT_COOKIE, Buffer.from(server)]),
  });
  const network = clientSubnet('1.2.3.0', 24);

  test.each([
    { when: 'of the client alone', query: asked(cookie('')) },
    { when: 'that is good', query: asked(cookie(givenTo(UDP_CLIENT, NOW_MS))) },
    { when: 'that is old', query: asked(cookie(givenTo(UDP_CLIENT, NOW_MS - 2_000_000))) },
    { when: 'that is of no use any more', query: asked(cookie(givenTo(UDP_CLIENT, 0))) },
    { when: 'of other servers', query: asked(cookie('12345678')) },
    { when: 'of other servers, the longest', query: asked(cookie('x'.repeat(32))) },
    { when: 'before a subnet', query: asked(cookie(''), network) },
    { when: 'after a subnet', query: asked(network, cookie(givenTo(UDP_CLIENT, NOW_MS))) },
  ])('$when', ({ query }) => {
    expect(composedOf(query, UDP_CLIENT, world)).toBe(3);
    expect(composedOf(query, { ...UDP_CLIENT, transport: 'tcp' }, world)).toBe(3);
    expect(composedOf(query, { ...UDP_CLIENT, address: '2001:db8::7' }, world)).toBe(3);
    // Where none is given.
    expect(composedOf(query)).toBe(3);
  });

  test.each([
    { when: 'too short', query: asked({ code: 'COOKIE', data: Buffer.alloc(7) }) },
    { when: 'that no server gives', query: asked(cookie('1234567')) },
    { when: 'too long', query: asked(cookie('x'.repeat(33))) },
    { when: 'twice', query: asked(cookie(''), cookie('')) },
    { when: 'with an option that asks for more', query: asked(cookie(''), NSID) },
  ])('$when: left to the general path', ({ query }) => {
    expect(composedOf(query, UDP_CLIENT, world)).toBe(0);
    expect(composedOf(query)).toBe(0);
  });

  test('when much is asked from there, only one that is good (RFC 7873 §5.2.3)', () => {
    const fast = new FastPath(world);
    const ask = (query: Buffer): void => compare(fast, query, UDP_CLIENT, 'overload', () => true);
    for (let count = 0; count < 3; count += 1) ask(asked(cookie('')));
    expect(fast.counters().composed).toBe(0);
    for (let count = 0; count < 3; count += 1) ask(asked(cookie(givenTo(UDP_CLIENT, NOW_MS))));
    expect(fast.counters().composed).toBe(6);
  });
});

test('over TLS everything is: answers are padded there', () => {
  const client = { ...UDP_CLIENT, transport: 'tls' } as const;
  expect(composedOf(queryBytes('www.example.com', 'A'), client)).toBe(0);
});

test('more names than there is room for: what is asked for again is kept all the same', () => {
  const names = Array.from({ length: ANSWERS_MAX + 10 }, (_, index) => `h${index}.example.com`);
  const zone = zonePlan('example.com', {
    records: names.map((name) => records(name, 'A', '192.0.2.1')),
  });
  const fast = new FastPath(snapshotOf({ zones: [zone] }));
  const ask = (name: string): void => compare(fast, queryBytes(name, 'A'), UDP_CLIENT, name);
  for (const name of names) ask(name);
  for (let count = 0; count < 4; count += 1) ask('h7.example.com');
  expect(fast.counters().composed).toBeGreaterThanOrEqual(2);
});

test.each([
  { when: 'IPv4', host: (index: number) => `5.5.5.${index}`, bits: [24, 26, 32] },
  { when: 'IPv6', host: (index: number) => `3f13:5:5:${index.toString(16)}::`, bits: [48, 60, 64] },
])('$when: hosts of one network in many places are not taken for one another', ({ host, bits }) => {
  const fast = new FastPath(snapshot);
  for (let round = 0; round < 3; round += 1) {
    for (let index = 0; index < 256; index += 1) {
      const address = host(index);
      const client: DnsClient = { address, transport: 'udp' };
      compare(fast, queryBytes('geo.example.com', 'A', opt()), client, address);
      for (const known of bits) {
        if (index % 2 ** Math.max(0, (address.includes(':') ? 64 : 32) - known) !== 0) continue;
        const query = queryBytes('geo.example.com', 'A', subnet(address, known));
        compare(fast, query, UDP_CLIENT, `${address}/${known}`);
      }
    }
  }
  expect(fast.counters().composed).toBeGreaterThan(256);
});
