import packet from 'dns-packet';
import { describe, expect, test } from 'vitest';
import { silentLog } from '../../../runtime/log.ts';
import { answerQuery } from '../answer.ts';
import { opt, queryBytes, records, snapshotOf, zonePlan } from '../dns.fixture.ts';
import { EXAMPLE, NODES } from '../example.fixture.ts';
import { cutReply } from './cut.ts';
import { asking, type Flood, flood, limitOf, NOW_MS, STRANGER } from './limit.fixture.ts';
import { DNS_LIMIT, type DnsLimitSettings, limitAt } from './limit.ts';

/** Ten answers a second, five errors. */
const SMALL: DnsLimitSettings = { answersPerS: 10, errorsPerS: 5, slip: 2, bucketsMax: 1024 };

const LARGE = zonePlan('test', {
  records: [records('large.test', 'TXT', 'x'.repeat(250), 'y'.repeat(250))],
});
const snapshot = snapshotOf({ zones: [EXAMPLE, LARGE], nodes: NODES });

const clientAt = (address: string) => ({ address, transport: 'udp' }) as const;

function floodWith(given: Partial<Flood> & Pick<Flood, 'query'>) {
  return flood({ limit: limitOf(SMALL), snapshot, count: 100, ...given });
}

describe('a hundred queries at once: the first five unseen, then ten of one kind', () => {
  test.each([
    { when: 'one name', query: asking('ns1.example.com'), whole: 15 },
    { when: 'one name in many cases', query: cased('ns1.example.com'), whole: 15 },
    { when: 'a hundred names that are not there', query: numbered('example.com'), whole: 15 },
    { when: 'a type that is not there', query: asking('ns1.example.com', 'SRV'), whole: 15 },
    { when: 'names below one wildcard', query: numbered('any.example.com'), whole: 15 },
    { when: 'names below one delegation', query: numbered('child.example.com'), whole: 15 },
    { when: 'types of one name', query: typed('ns1.example.com'), whole: 25 },
    { when: 'names of others', query: numbered('example.org'), whole: 5 + 5 + 45 },
    { when: 'answers of 600 bytes cost three', query: big(), whole: 1 + 3 },
  ])('$when', ({ query, whole }) => {
    expect(floodWith({ query }).whole).toBe(whole);
  });

  test('what is above the rate is cut or dropped by turns', () => {
    expect(floodWith({ query: asking('ns1.example.com') })).toMatchObject({ cut: 43, nothing: 42 });
  });

  test.each([
    { slip: 0, cut: 0, nothing: 85 },
    { slip: 1, cut: 85, nothing: 0 },
    { slip: 10, cut: 9, nothing: 76 },
  ])('slip $slip', ({ slip, cut, nothing }) => {
    const limit = limitOf({ ...SMALL, slip });
    const query = asking('ns1.example.com');
    expect(flood({ limit, snapshot, count: 100, query })).toMatchObject({ cut, nothing });
    expect(limit.counters()).toEqual({ cut, dropped: nothing, spared: 0 });
  });
});

describe('nothing is held back', () => {
  const query = asking('ns1.example.com');
  test.each([
    { when: 'over TCP', given: { transport: 'tcp' as const } },
    { when: 'from this machine', given: { address: '127.0.0.2' } },
    { when: 'from this machine, IPv6', given: { address: '::1' } },
    { when: 'with a valid cookie', given: { hasValidCookie: () => true } },
    { when: 'below the rate', given: { everyMs: 210 } },
    { when: 'for many names at the rate of one', given: { everyMs: 25, query: rotating(4) } },
  ])('$when', ({ given }) => {
    expect(floodWith({ query, ...given }).whole).toBe(100);
  });
});

describe('who is counted as one', () => {
  test.each([
    { first: '198.51.100.1', second: '198.51.100.254', together: true },
    { first: '198.51.100.1', second: '198.51.101.1', together: false },
    { first: '198.51.10.1', second: '198.51.101.1', together: false },
    { first: '2001:db8:1:100::1', second: '2001:db8:1:1ff::9', together: true },
    { first: '2001:db8:1:100::1', second: '2001:db8:1:200::1', together: false },
    { first: '::ffff:198.51.100.1', second: '198.51.100.1', together: true },
    { first: 'odd', second: 'odder', together: true },
  ])('$first and $second: $together', ({ first, second, together }) => {
    const [limit, query] = [limitOf(SMALL), asking('ns1.example.com')];
    flood({ limit, snapshot, count: 100, query, address: first });
    const { whole } = flood({ limit, snapshot, count: 100, query, address: second });
    expect(whole).toBe(together ? 0 : 15);
  });
});

test('in two minutes of a flood the rate is what passes', () => {
  const limit = limitOf(SMALL);
  const query = asking('ns1.example.com');
  expect(flood({ limit, snapshot, count: 600, everyMs: 100, query }).whole).toBe(600);
  const later = { limit, snapshot, query, count: 24_000, everyMs: 5 };
  expect(flood(later).whole / 120).toBeCloseTo(10, 0);
});

test('a prefix is overloaded while it is above the lowest rate', () => {
  const limit = limitOf(SMALL);
  expect(limit.isOverloaded(clientAt(STRANGER), NOW_MS)).toBe(false);
  flood({ limit, snapshot, count: 100, query: asking('ns1.example.com') });
  expect(limit.isOverloaded(clientAt(STRANGER), NOW_MS)).toBe(true);
  expect(limit.isOverloaded(clientAt('198.51.100.1'), NOW_MS)).toBe(false);
  expect(limit.isOverloaded(clientAt(STRANGER), NOW_MS + 2000)).toBe(false);
});

test('a flood is logged once a minute, with what has come of it', () => {
  const told: string[] = [];
  const warn = (fields: object): void => void told.push(JSON.stringify(fields));
  const limit = limitOf(SMALL, { ...silentLog, warn });
  const query = asking('ns1.example.com');
  flood({ limit, snapshot, count: 20_000, everyMs: 5, query });
  expect(told).toEqual([
    `{"client":"${STRANGER}","dropped":0,"cut":0,"spared":0}`,
    expect.stringMatching(
      /^\{"client":"203\.0\.113\.9","dropped":57\d\d,"cut":57\d\d,"spared":0\}$/,
    ),
  ]);
});

describe('an answer that is cut', () => {
  test.each([
    { when: 'without EDNS', given: {}, opts: 0 },
    { when: 'with EDNS', given: opt(), opts: 1 },
  ])('$when is header, question and OPT', ({ given, opts }) => {
    const query = queryBytes('eXample.com', 'MX', given);
    const client = { address: STRANGER, transport: 'udp' } as const;
    const reply = Buffer.from(answerQuery(query, { snapshot, client, nowMs: 0 }) ?? []);
    const cut = cutReply(reply);
    const decoded = packet.decode(cut);
    expect(decoded).toMatchObject({ id: 4711, flag_tc: true, flag_aa: true, type: 'response' });
    expect(decoded.questions).toEqual([{ name: 'eXample.com', type: 'MX', class: 'IN' }]);
    expect([decoded.answers, decoded.authorities]).toEqual([[], []]);
    expect(decoded.additionals?.map(({ type }) => type)).toEqual(Array(opts).fill('OPT'));
    expect(cut.length).toBe(query.length);
    // What was to be sent is as it was.
    expect(packet.decode(reply)).toMatchObject({ flag_tc: false, answers: [{}, {}] });
  });
});

test.each([
  { rate: 0, settings: undefined },
  { rate: 5, settings: { ...DNS_LIMIT, answersPerS: 5, errorsPerS: 1 } },
  { rate: 1000, settings: DNS_LIMIT },
  { rate: 20_000, settings: { ...DNS_LIMIT, answersPerS: 20_000, errorsPerS: 2000 } },
])('a rate of $rate', ({ rate, settings }) => {
  expect(limitAt(rate)).toEqual(settings);
});

function numbered(parent: string): (index: number) => Buffer {
  return (index) => queryBytes(`x${index}.${parent}`, 'A');
}

function rotating(names: number): (index: number) => Buffer {
  return (index) => queryBytes(['ns1', 'mail', 'www', 'site'][index % names] + '.example.com', 'A');
}

function typed(name: string): (index: number) => Buffer {
  return (index) => queryBytes(name, index % 2 === 0 ? 'A' : 'SRV');
}

function cased(name: string): (index: number) => Buffer {
  return (index) => {
    const at = index % name.length;
    return queryBytes(name.slice(0, at) + name.slice(at).toUpperCase(), 'A');
  };
}

function big(): () => Buffer {
  const query = queryBytes('large.test', 'TXT', opt([], { udpPayloadSize: 1232 }));
  return () => query;
}
