import { expect, test } from 'vitest';
import { RecordType } from '../message/codes.ts';
import { parseName, ROOT } from '../message/name.ts';
import { OnlyRrset, plannedRrset } from './planned-rrset.ts';
import { parseRecord } from './record-data.ts';
import type { Rrset } from './rrset.ts';

const planned = (type: number, ...values: string[]): Rrset =>
  plannedRrset(
    type,
    { name: 'a.example', type: '', ttlS: 60, values },
    parseName('example') ?? ROOT,
  );

test('records are made of the values, and their names in the zone are its targets', () => {
  const rrset = planned(RecordType.MX, '10 a.example', '20 b.example', '30 a.example', '9 c.test');
  expect(rrset.records).toEqual([
    parseRecord(RecordType.MX, '10 a.example').data,
    parseRecord(RecordType.MX, '20 b.example').data,
    parseRecord(RecordType.MX, '30 a.example').data,
    parseRecord(RecordType.MX, '9 c.test').data,
  ]);
  expect(rrset.targets).toEqual([parseName('a.example'), parseName('b.example')]);
});

test('a record that is kept keeps no more than its own bytes alive', () => {
  // One that is in a slab with others, as small Buffers are, keeps 64 KiB.
  for (const [type, value] of [
    [RecordType.TXT, '"some text"'],
    [RecordType.A, '192.0.2.1'],
    [RecordType.MX, '10 mail.example'],
    [RecordType.DS, `1 13 2 ${'ab'.repeat(32)}`],
  ] as const) {
    const [record] = planned(type, value).records;
    for (const part of record?.parts ?? [])
      if (typeof part !== 'string') expect(part.buffer.byteLength).toBe(part.length);
  }
});

test('a record that is written in two ways is one (RFC 2181 §5)', () => {
  expect(planned(RecordType.AAAA, '2001:db8::1', '2001:db8:0::1').records).toHaveLength(1);
});

test('a name with one rrset looks like one with a map of them', () => {
  const rrset = planned(RecordType.A, '192.0.2.1');
  const [only, map] = [new OnlyRrset(rrset), new Map([[RecordType.A, rrset]])];
  expect([...only]).toEqual([...map]);
  expect([...only.keys()]).toEqual([...map.keys()]);
  expect([...only.values()]).toEqual([...map.values()]);
  expect([...only.entries()]).toEqual([...map.entries()]);
  expect([only.size, only.get(RecordType.A), only.get(RecordType.NS)]).toEqual([
    1,
    rrset,
    undefined,
  ]);
  expect([only.has(RecordType.A), only.has(RecordType.NS)]).toEqual([true, false]);
  const seen: unknown[] = [];
  only.forEach((value, key) => seen.push([key, value]));
  expect(seen).toEqual([...map]);
});
