import { expect, test } from 'vitest';
import type { Zone } from '../../api/zone.ts';
import { declaredSets, KEPT_RECORDS_MAX } from './declared-sets.ts';

test('names and values are made whole, and what is wrong is told', () => {
  const spec = specOf([
    { name: 'www', type: 'CNAME', values: ['web', 'web'] },
    { name: '@', type: 'A', ttl: 60, values: ['192.0.2.1', '192.0.2.256'] },
  ]);
  const [alias, address] = declaredSets(spec);
  const at = { name: 'www.example.test', type: 'CNAME', ttlS: 300 };
  expect(alias).toEqual({ set: { ...at, values: ['web.example.test.'] }, wrong: [] });
  expect(address?.set).toMatchObject({ name: 'example.test', ttlS: 60, values: ['192.0.2.1'] });
  expect(address?.wrong[0]).toContain('example.test A 192.0.2.256');
});

test('records are read once for each spec, another spec of the same zone anew', () => {
  const records = [{ name: 'www', type: 'A', values: ['192.0.2.1'] }] as const;
  const spec = specOf(records);
  expect(declaredSets(spec)).toBe(declaredSets(spec));
  expect(declaredSets(specOf(records))).not.toBe(declaredSets(spec));
});

test('no more is kept than of so many records, but always the last', () => {
  const half = manyRecords(KEPT_RECORDS_MAX / 2);
  const [first, second] = [specOf(half), specOf(half)];
  const before = declaredSets(first);
  declaredSets(second);
  expect(declaredSets(first)).toBe(before);
  const large = specOf([...half, ...half, ...half]);
  const whole = declaredSets(large);
  expect(declaredSets(large)).toBe(whole);
  expect(declaredSets(first)).not.toBe(before);
});

function manyRecords(count: number): Zone['spec']['records'] {
  return Array.from({ length: count }, (_, index) => ({
    ...{ name: `h${index}`, type: 'A' as const, values: ['192.0.2.1'] },
  }));
}

function specOf(records: Zone['spec']['records']): Zone['spec'] {
  return { origin: 'example.test', ttl: 300, records: [...records] } as unknown as Zone['spec'];
}
