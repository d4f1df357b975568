import { expect, test } from 'vitest';
import { TYPE_NS, TYPE_SOA, TYPE_TXT } from '../../load/dns-client.ts';
import type { DnsExchange } from '../check.ts';
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

test.each([
  { name: 'a.preview.example.test', rcode: 0 },
  { name: 'a.b.preview.example.test', rcode: 0 },
  { name: 'is.preview.example.test', rcode: 0 },
  { name: 'not.is.preview.example.test', rcode: NXDOMAIN },
  { name: 'preview.example.test', rcode: 0 },
  { name: 'other.example.test', rcode: NXDOMAIN },
])('below a wildcard $name is answered with $rcode', ({ name, rcode }) => {
  const wildcard = { name: '*.preview.example.test', type: 'TXT', ttlS: 9, values: ['w'] };
  const own = { name: 'is.preview.example.test', type: 'A', ttlS: 9, values: ['192.0.2.1'] };
  const zone = zoneVersion(5, { records: [wildcard, own] });
  const none = (code: number) =>
    exchangeOf({ name, type: TYPE_NS }, { rcode: code, authorities: [soaOf(5)] });
  expect(found(none(rcode), zone)).toEqual([]);
  expect(found(none(NXDOMAIN - rcode), zone)).toHaveLength(1);
});

function found(exchange: DnsExchange, zone = zoneVersion(5)): readonly string[] {
  const { check, found: all } = watched(versionsCheck);
  check.committed?.(commitOf(zoneVersion(4)));
  check.committed?.(commitOf(zone));
  check.applied?.(appliedZone(zone));
  check.asked?.(exchange);
  return all;
}

function nothing(name: string, serial: number): DnsExchange {
  return exchangeOf({ name }, { rcode: NXDOMAIN, authorities: [soaOf(serial)] });
}
