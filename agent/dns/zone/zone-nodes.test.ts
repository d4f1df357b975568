import { expect, test } from 'vitest';
import { geoName, records, zonePlan } from '../dns.fixture.ts';
import { RecordType } from '../message/codes.ts';
import { type NameKey, nameText, parseName, ROOT } from '../message/name.ts';
import { compileZone } from './compile-zone.ts';
import { type ZoneNode } from './zone.ts';
import { MadeNodes } from './zone-nodes.ts';

const at = (name: string): NameKey => parseName(name) ?? ROOT;
const PLAN = zonePlan('example.com', {
  records: [
    records('example.com', 'NS', 'ns1.example.com'),
    records('example.com', 'MX', '10 a.example.com', '20 mail.test'),
    records('a.example.com', 'A', '192.0.2.1', '192.0.2.1'),
    records('deep.b.example.com', 'TXT', '"x"'),
    records('a.example.com', 'AAAA', '2001:db8::1'),
    records('sub.example.com', 'NS', 'ns.sub.example.com'),
    records('below.sub.example.com', 'NS', 'ns.sub.example.com'),
    records('ns.sub.example.com', 'A', '192.0.2.9'),
    records('*.wild.example.com', 'A', '192.0.2.2'),
    records('loan.example.com', 'ALIAS', 'cdn.test'),
    records('dot\\.ted.example.com', 'A', '192.0.2.3'),
    records('Upper.example.com', 'A', '192.0.2.4'),
  ],
  geoNames: [geoName('geo.far.example.com'), geoName('b.example.com')],
});

function shown({ rrsets, geo, borrowed, cut }: ZoneNode): string {
  const data = [...rrsets.values()].map(
    ({ type, records: each }) => `${type}: ${each.map(({ text }) => text).join(' | ')}`,
  );
  const rest = [geo && 'geo', borrowed && `of ${nameText(borrowed.target)}`];
  return [...data, ...rest, cut && `cut at ${nameText(cut)}`].filter(Boolean).join(', ');
}

test('every name is there, with what is at it and the delegation above it', () => {
  const { nodes } = compileZone(PLAN);
  const soa = 'ns1.example.com. hostmaster.example.com. 2026 3600 600 86400 300';
  expect([...nodes].map(([key, node]) => [nameText(key), shown(node)])).toEqual([
    ['example.com', `6: ${soa}, 2: ns1.example.com., 15: 10 a.example.com. | 20 mail.test.`],
    ['a.example.com', '1: 192.0.2.1, 28: 2001:db8::1'],
    ['deep.b.example.com', '16: "x"'],
    ['b.example.com', 'geo'],
    ['sub.example.com', '2: ns.sub.example.com., cut at sub.example.com'],
    ['below.sub.example.com', '2: ns.sub.example.com., cut at sub.example.com'],
    ['ns.sub.example.com', '1: 192.0.2.9, cut at sub.example.com'],
    ['*.wild.example.com', '1: 192.0.2.2'],
    ['wild.example.com', ''],
    ['loan.example.com', 'of cdn.test'],
    ['dot\\.ted.example.com', '1: 192.0.2.3'],
    ['upper.example.com', '1: 192.0.2.4'],
    ['geo.far.example.com', 'geo'],
    ['far.example.com', ''],
  ]);
});

test('it is a map, in whichever way one looks', () => {
  const { nodes } = compileZone(PLAN);
  const keys = [...nodes.keys()];
  const map = new Map(keys.map((key) => [key, nodes.get(key)]));
  expect(nodes.size).toBe(map.size);
  expect([...nodes.entries()]).toEqual([...map]);
  expect([...nodes.values()]).toEqual([...map.values()]);
  const seen: unknown[] = [];
  nodes.forEach((node, key) => seen.push([key, node]));
  expect(seen).toEqual([...map]);
  for (const key of keys) expect(nodes.has(key)).toBe(true);
  for (const name of ['none.example.com', 'com', 'x.a.example.com', 'ple.com']) {
    expect([nodes.has(at(name)), nodes.get(at(name))]).toEqual([false, undefined]);
  }
});

test('a name is made when it is asked for, and once: signatures are kept by it', () => {
  const { nodes } = compileZone(PLAN);
  const [first, second] = [nodes.get(at('a.example.com')), nodes.get(at('a.example.com'))];
  expect(first).toBe(second);
  expect(first?.rrsets.get(RecordType.A)?.records).toHaveLength(1);
});

test('a zone without records has its origin, and what is made for answers', () => {
  const { nodes } = compileZone(zonePlan('example.com', { geoNames: [geoName('g.example.com')] }));
  expect([...nodes.keys()].map(nameText)).toEqual(['example.com', 'g.example.com']);
  expect([...(nodes.get(at('example.com'))?.rrsets.keys() ?? [])]).toEqual([RecordType.SOA]);
});

test('memory is bounded, whatever is asked for: with too many names, all zones forget theirs', () => {
  const made = new MadeNodes(3);
  const [one, other] = [compileZone(PLAN, made), compileZone({ ...PLAN, uid: 'other' }, made)];
  const first = one.nodes.get(at('a.example.com'));
  other.nodes.get(at('a.example.com'));
  other.nodes.get(at('*.wild.example.com'));
  expect(one.nodes.get(at('a.example.com'))).toBe(first);
  // What does not exist, and walks through a whole zone, take no room.
  other.nodes.get(at('none.example.com'));
  for (const [key] of other.nodes) expect(other.nodes.has(key)).toBe(true);
  expect(one.nodes.get(at('a.example.com'))).toBe(first);
  other.nodes.get(at('upper.example.com'));
  const again = one.nodes.get(at('a.example.com'));
  expect(again).not.toBe(first);
  expect(again).toEqual(first);
});
