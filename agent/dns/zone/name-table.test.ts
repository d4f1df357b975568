import { expect, test } from 'vitest';
import { type NameKey, parseName, ROOT } from '../message/name.ts';
import { NameTable, type PlacedName } from './name-table.ts';

function tableOf(names: readonly PlacedName[]): (key: NameKey) => number {
  const table = new NameTable(names);
  return (key) => table.find(key, (row) => names[row]?.key === key);
}

function named(count: number): readonly PlacedName[] {
  return Array.from({ length: count }, (_, index) => ({
    key: parseName(`h${index}.example`) ?? ROOT,
    witness: 7 * index,
    places: Array.from({ length: index % 4 }, (__, place) => 100 * index + place),
  }));
}

test.each([0, 1, 2, 3, 1000])('%d names: each is found, with what belongs to it', (count) => {
  const names = named(count);
  const table = new NameTable(names);
  const find = tableOf(names);
  expect(table.size).toBe(count);
  for (const [row, { key, witness, places }] of names.entries()) {
    expect(find(key)).toBe(row);
    expect([table.witness(row), [...table.places(row)]]).toEqual([witness, places]);
    expect(table.length(row)).toBe(key.length);
  }
  expect(find(parseName('other.example') ?? ROOT)).toBe(-1);
  expect(find(ROOT)).toBe(-1);
});

test('names that are taken for one another by their hashes are told apart', () => {
  // Two of some ten thousand names have the 24 bits of a hash and a length in common.
  const names = Array.from({ length: 20_000 }, (_, index) => ({
    key: parseName(`n${10_000 + index}`) ?? ROOT,
    witness: index,
    places: [],
  }));
  const table = new NameTable(names);
  const find = tableOf(names);
  let asked = 0;
  for (const [row, { key }] of names.entries()) {
    expect(find(key)).toBe(row);
    table.find(key, () => {
      asked += 1;
      return false;
    });
  }
  expect(asked).toBeGreaterThan(names.length);
});

test('the longest name has its length', () => {
  const key = parseName(`${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(61)}`);
  expect(key?.length).toBe(254);
  expect(new NameTable([{ key: key ?? ROOT, witness: 0, places: [] }]).length(0)).toBe(254);
});
