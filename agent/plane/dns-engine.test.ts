import packet from 'dns-packet';
import { describe, expect, test } from 'vitest';
import { fakeResolver } from '../../runtime/dns/fake-resolver.ts';
import { silentLog } from '../../runtime/log.ts';
import { virtualClock } from '../../runtime/test-clock.ts';
import { type Decoded, lines, opt, queryBytes, UDP_CLIENT } from '../dns/dns.fixture.ts';
import { createForeignBook } from '../dns/foreign/foreign-book.ts';
import { createDnsLimit, DNS_LIMIT } from '../dns/limit/limit.ts';
import { fullRcode, optionsOf } from '../dns/rfc/rfc.fixture.ts';
import { createDnsEngine, type DnsEngine } from './dns-engine.ts';
import { testSnapshot, testZone } from './plane-fixture.ts';

const random = { next: () => 0.5, bytes: (count: number) => new Uint8Array(count) };
const NOW_MS = 1_800_000_000_000;
const [first, second, third] = [1, 2, 3].map((byte) => new Uint8Array(16).fill(byte));
if (first === undefined || second === undefined || third === undefined) throw new Error();

function asked(engine: DnsEngine, query: Uint8Array, nowMs = NOW_MS) {
  return readReply(engine.answer(query, UDP_CLIENT, nowMs) ?? new Uint8Array());
}

function readReply(bytes: Uint8Array) {
  const reply = packet.decode(Buffer.from(bytes)) as Decoded;
  return { reply, rcode: fullRcode(Buffer.from(bytes), reply), options: optionsOf(reply) };
}

const withCookie = (hex: string): Buffer =>
  queryBytes('blog.test', 'A', opt([{ code: 10, data: Buffer.from(hex, 'hex') }]));

describe('cookies of a cluster', () => {
  const CLIENT = '0102030405060708';
  const nameserver = async (...cookieSecrets: Uint8Array[]): Promise<DnsEngine> => {
    const settings = { ...DNS_LIMIT, answersPerS: 2, errorsPerS: 1 };
    const limit = createDnsLimit({ settings, random, log: silentLog });
    const engine = createDnsEngine({ nodeName: 'ns', log: silentLog, limit });
    await engine.apply(testSnapshot(1, { dns: { cookieSecrets } }).dns, []);
    return engine;
  };
  const cookieFrom = (engine: DnsEngine): string =>
    asked(engine, withCookie(CLIENT)).options?.[0]?.slice(3) ?? '';

  test('what one nameserver gives, another one takes, also while the secret changes', async () => {
    const before = await nameserver(first, second);
    const after = await nameserver(second, third, first);
    for (const [maker, taker] of [
      [before, after],
      [after, before],
    ] as const) {
      const cookie = cookieFrom(maker);
      expect(cookie).toMatch(/^0102030405060708010000006b49d200/);
      // Far above the rate, and still answered.
      for (let count = 0; count < 50; count += 1) {
        expect(asked(taker, withCookie(cookie)).reply.answers).toHaveLength(2);
      }
    }
  });

  test('above the rate a client without a good cookie is given one, and comes again', async () => {
    const engine = await nameserver(first);
    const replies = Array.from({ length: 8 }, () =>
      engine.answer(withCookie(CLIENT), UDP_CLIENT, NOW_MS),
    );
    // Of some the rate limit sends nothing, as of any error.
    const last = replies
      .flatMap((bytes) => (bytes === undefined ? [] : readReply(bytes)))
      .find(({ rcode }) => rcode === 23);
    expect(last?.reply.answers).toEqual([]);
    const cookie = last?.options?.[0]?.slice(3) ?? '';
    expect(asked(engine, withCookie(cookie))).toMatchObject({ rcode: 0 });
  });

  test('secrets of another length are not used, and stop nothing', async () => {
    const engine = await nameserver(new Uint8Array(15), new Uint8Array(0));
    expect(asked(engine, withCookie(CLIENT))).toMatchObject({ rcode: 0, options: [] });
  });
});

test('a name that borrows from others is answered once they have been asked, and follows them', async () => {
  const clock = virtualClock();
  const resolver = fakeResolver();
  const foreign = createForeignBook({ resolver, clock, random, log: silentLog });
  const engine = createDnsEngine({ nodeName: 'ns', log: silentLog, foreign });
  const stop = new AbortController();
  const running = engine.run(stop.signal);
  const alias = { name: 'test', type: 'ALIAS', ttlS: 600, values: ['cdn.elsewhere.example'] };
  const zone = testZone(1);
  const dns = { zones: [{ ...zone, records: [...zone.records, alias] }] };
  resolver.set('cdn.elsewhere.example', 'A', { addresses: ['203.0.113.7'], ttlS: 60 });
  await engine.apply(testSnapshot(1, { dns }).dns, []);
  const answer = () => asked(engine, queryBytes('test', 'A'));
  expect(answer().rcode).toBe(2);
  await clock.advance(0);
  expect(lines(answer().reply.answers)).toEqual(['test A 203.0.113.7']);
  resolver.set('cdn.elsewhere.example', 'A', { addresses: ['203.0.113.8'], ttlS: 60 });
  await clock.advance(60_000);
  expect(lines(answer().reply.answers)).toEqual(['test A 203.0.113.8']);
  // The same zone again asks nobody again.
  const before = resolver.asked.length;
  await engine.apply(testSnapshot(2, { dns }).dns, []);
  await clock.advance(1000);
  expect([answer().rcode, resolver.asked.length]).toEqual([0, before]);
  stop.abort();
  await running;
});

test('while many zones are compiled others have their turn, and answers are of the version before', async () => {
  const zones = (serial: number) =>
    Array.from({ length: 400 }, (_, index) => ({
      ...testZone(serial),
      ...{ uid: `u${index}`, origin: `z${index}.test`, primaryNameserver: `ns.z${index}.test` },
      records: Array.from({ length: 100 }, (__, host) => ({
        ...{ name: `h${host}.z${index}.test`, type: 'A', ttlS: 60, values: [`192.0.2.${serial}`] },
      })),
      geoNames: [],
    }));
  const told: unknown[] = [];
  async function pause(): Promise<void> {
    const [answer] = asked(engine, queryBytes('h0.z0.test', 'A')).reply.answers ?? [];
    told.push(answer && 'data' in answer ? answer.data : undefined);
  }
  const engine = createDnsEngine({ nodeName: 'ns', log: silentLog, pause });
  await engine.apply(testSnapshot(1, { dns: { zones: zones(1) } }).dns, []);
  // 40,000 record sets of over 30 bytes each.
  expect(told.length).toBeGreaterThan(8);
  told.length = 0;
  const two = zones(2);
  await engine.apply(testSnapshot(2, { dns: { zones: two } }).dns, []);
  expect(new Set(told)).toEqual(new Set(['192.0.2.1']));
  told.length = 0;
  // A change in one zone of many does not wait for anything.
  const [three] = zones(3);
  await engine.apply(
    testSnapshot(3, { dns: { zones: [three ?? never(), ...two.slice(1)] } }).dns,
    [],
  );
  expect(told).toEqual([]);
  await pause();
  expect(told).toEqual(['192.0.2.3']);
});

function never(): never {
  throw new Error('missing');
}
