import { expect, test } from 'vitest';
import { geoName, records, zonePlan } from '../dns.fixture.ts';
import { zoneKey } from '../dnssec/signed.fixture.ts';
import { compileZone } from './compile-zone.ts';
import { compileZones, noCompiledPlans } from './compile-zones.ts';

test.each([
  {
    when: 'a name is outside',
    records: [records('a.example.org', 'A', '192.0.2.1')],
    error: 'a.example.org is outside the zone',
  },
  {
    when: 'a type is unknown',
    records: [records('example.com', 'BOGUS', 'x')],
    error: 'example.com BOGUS: unknown type',
  },
  {
    when: 'a value is malformed',
    records: [records('example.com', 'A', '1.2.3')],
    error: 'example.com A 1.2.3: is not an IPv4 address: it needs four numbers',
  },
  {
    when: 'an rrset comes twice',
    records: [
      records('a.example.com', 'A', '192.0.2.1'),
      records('a.example.com', 'A', '192.0.2.2'),
    ],
    error: 'a.example.com A: more than one rrset',
  },
  {
    when: 'an rrset is empty',
    records: [records('a.example.com', 'A')],
    error: 'a.example.com A: no values',
  },
  {
    when: 'a CNAME has company',
    records: [
      records('a.example.com', 'CNAME', 'b.example.com'),
      records('a.example.com', 'TXT', 'x'),
    ],
    error: 'a.example.com: CNAME beside other data',
  },
  {
    when: 'a CNAME has two values',
    records: [records('a.example.com', 'CNAME', 'b.example.com', 'c.example.com')],
    error: 'a.example.com: more than one CNAME',
  },
  {
    when: 'a wildcard is delegated',
    records: [records('*.example.com', 'NS', 'b.example.com')],
    error: '*.example.com: a wildcard cannot be delegated',
  },
])('compileZone refuses the zone when $when', ({ records, error }) => {
  expect(() => compileZone(zonePlan('example.com', { records }))).toThrow(
    `zone example.com serial 2026: ${error}`,
  );
});

test('a geo name cannot have a CNAME beside it, nor come twice', () => {
  const alias = { records: [records('www.example.com', 'CNAME', 'example.com')] };
  const one = geoName('www.example.com');
  expect(() => compileZone(zonePlan('example.com', { ...alias, geoNames: [one] }))).toThrow(
    'CNAME',
  );
  expect(() => compileZone(zonePlan('example.com', { geoNames: [one, one] }))).toThrow('geo name');
});

test('a malformed zone is reported, its last good version and the other zones are served', () => {
  const good = [zonePlan('a.example'), zonePlan('b.example')];
  const before = compileZones(good);
  const bad = zonePlan('a.example', { serial: 2027, records: [records('a.example', 'A', '?')] });
  const after = compileZones([bad, zonePlan('b.example', { serial: 2027 })], before.zones);
  expect(after.outcomes).toEqual([
    {
      uid: 'uid-a.example',
      name: 'a-example',
      serial: 2026,
      error: expect.stringContaining('zone a.example serial 2027: a.example A ?: is not an IPv4'),
    },
    { uid: 'uid-b.example', name: 'b-example', serial: 2027, error: undefined },
  ]);
  expect([...after.zones.values()].map(({ serial }) => serial)).toEqual([2026, 2027]);
});

test('the keys that a zone is served with are told, also of the version that was kept', () => {
  const keys = [zoneKey('one'), zoneKey('two', { role: 'published' })];
  const signed = zonePlan('a.example', { keys });
  const tags = keys.map(({ keyTag }) => keyTag).toSorted((a, b) => a - b);
  const before = compileZones([signed, zonePlan('b.example')]);
  expect(before.outcomes.map(({ keyTags }) => keyTags)).toEqual([tags, undefined]);
  const bad = { ...signed, keys: [], records: [records('a.example', 'A', '?')] };
  expect(compileZones([bad], before.zones).outcomes[0]?.keyTags).toEqual(tags);
});

test('a malformed zone of another uid inherits nothing', () => {
  const before = compileZones([zonePlan('a.example')]);
  const bad = zonePlan('a.example', { uid: 'another', records: [records('x.org', 'A', '?')] });
  expect(compileZones([bad], before.zones).zones.size).toBe(0);
});

test('a plan that was compiled before is not compiled again', () => {
  const [kept, changed] = [zonePlan('a.example'), zonePlan('b.example')];
  const compiled = noCompiledPlans();
  const before = compileZones([kept, changed], new Map(), compiled);
  const after = compileZones([kept, { ...changed, serial: 9 }], before.zones, compiled);
  const [a, b] = [...after.zones.values()];
  expect(a).toBe([...before.zones.values()][0]);
  expect(b?.serial).toBe(9);
});
