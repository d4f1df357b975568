import { expect, test } from 'vitest';
import { TYPE_SOA, TYPE_TXT } from '../load/dns-client.ts';
import type { DnsExchange } from './check.ts';
import {
  addressOf,
  appliedZone,
  commitOf,
  exchangeOf,
  soaOf,
  txtOf,
  watched,
  zoneVersion,
} from './dns.fixture.ts';
import { versionsCheck } from './versions.ts';

const TXT = { name: 'example.test', type: TYPE_TXT };
const NXDOMAIN = 3;

test.each([
  { when: 'both values', of: exchangeOf(TXT, { answers: txtOf('a=5', 'b=5') }) },
  {
    when: 'both values, the other way round',
    of: exchangeOf(TXT, { answers: txtOf('b=5', 'a=5') }),
  },
  { when: 'a candidate', of: exchangeOf({}, { answers: [addressOf('tokyo')] }) },
  { when: 'that a name is not', of: nothing('nowhere.example.test', 5) },
  {
    when: 'its SOA',
    of: exchangeOf({ ...TXT, type: TYPE_SOA }, { answers: [{ ...soaOf(5), ttl: 3600 } as never] }),
  },
  { when: 'nothing of what is cut', of: exchangeOf(TXT, { flags: 0x0200 }) },
  { when: 'nothing of a foreign zone', of: exchangeOf({ name: 'x.org' }, { rcode: 5 }) },
])('well: $when', ({ of }) => {
  expect(found(of)).toEqual([]);
});

test.each([
  { when: 'values of two versions', of: exchangeOf(TXT, { answers: txtOf('a=4', 'b=5') }) },
  { when: 'values of an older version', of: exchangeOf(TXT, { answers: txtOf('a=4', 'b=4') }) },
  { when: 'half of the values', of: exchangeOf(TXT, { answers: txtOf('a=5') }) },
  {
    when: 'a node that is no candidate',
    of: exchangeOf({}, { answers: [addressOf('198.18.0.9')] }),
  },
  { when: 'another time to live', of: exchangeOf({}, { answers: [addressOf('tokyo', 29)] }) },
  {
    when: 'a node twice',
    of: exchangeOf({}, { answers: [addressOf('tokyo'), addressOf('tokyo')] }),
  },
  { when: 'no address', of: exchangeOf({}, {}) },
  { when: 'that a name which is, is not', of: nothing('blog.example.test', 5) },
  { when: 'nothing, with an older serial', of: nothing('nowhere.example.test', 4) },
  { when: 'foreign names as its own', of: nothing('x.org', 5) },
])('INV-23: $when', ({ of }) => {
  expect(found(of)).toHaveLength(1);
});

test('INV-23: a version that dom never made', () => {
  const { check, found: all } = watched(versionsCheck);
  check.committed?.(commitOf(zoneVersion(5)));
  check.applied?.(appliedZone(zoneVersion(6)));
  expect(all).toEqual(['INV-23: london serves example.test with serial 6, which dom never made']);
});

function found(exchange: DnsExchange): readonly string[] {
  const { check, found: all } = watched(versionsCheck);
  check.committed?.(commitOf(zoneVersion(4)));
  check.committed?.(commitOf(zoneVersion(5)));
  check.applied?.(appliedZone(zoneVersion(5)));
  check.asked?.(exchange);
  return all;
}

function nothing(name: string, serial: number): DnsExchange {
  return exchangeOf({ name }, { rcode: NXDOMAIN, authorities: [soaOf(serial)] });
}
