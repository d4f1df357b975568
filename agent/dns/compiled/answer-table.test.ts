import { expect, test } from 'vitest';
import { ANSWERS_MAX, AnswerTable, type Known } from './answer-table.ts';
import { lowered, newPlainQuery, readPlainQuery } from './plain-query.ts';

function queryOf(name: string) {
  const labels = name.split('.').map((label) => `${String.fromCharCode(label.length)}${label}`);
  const message = Buffer.concat([
    Buffer.from([0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
    Buffer.from(`${labels.join('')}\0`, 'latin1'),
    Buffer.from([0, 1, 0, 1]),
  ]);
  const query = newPlainQuery('ignored');
  expect(readPlainQuery(message, message.length, query)).toBe(true);
  return query;
}

test('every answer is found as the table grows, in any case of letters', () => {
  const table = new AnswerTable();
  const kept = new Map<string, Known>();
  for (let index = 0; index < 20_000; index += 1) {
    const known: Known = { kind: 'geo', group: index, own: new Map(), shared: undefined };
    const query = queryOf(`n${index}.example`);
    expect(table.find(query)).toBeUndefined();
    table.keep(query, known);
    kept.set(`N${index}.eXample`, known);
  }
  for (const [name, known] of kept) {
    const query = queryOf(name);
    expect(table.find(query)).toBe(known);
  }
});

test('a full table begins anew, with what is asked for twice', () => {
  const table = new AnswerTable();
  for (let index = 0; index <= ANSWERS_MAX; index += 1) {
    const query = queryOf(`n${index}`);
    expect(table.admits(query)).toBe(true);
    table.keep(query, { kind: 'general' });
  }
  const query = queryOf('n1');
  expect(table.find(query)).toBeUndefined();
  expect([table.admits(query), table.admits(query)]).toEqual([false, true]);
});

test('each byte is made lower case by itself, whatever lies beside it', () => {
  const one = (byte: number): number => (byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte);
  for (let byte = 0; byte < 256; byte += 1) {
    for (const other of [0, 0x40, 0x41, 0x5a, 0x5b, 0x61, 0x7f, 0x80, 0xc1, 0xda, 0xff]) {
      const bytes = [byte, other, byte, other].toSorted((a, b) => (a ^ 3) - (b ^ 3));
      const read = Buffer.from(bytes).readInt32LE(0);
      expect(lowered(read)).toBe(Buffer.from(bytes.map(one)).readInt32LE(0));
    }
  }
});

test('names that end differently are not taken for one another', () => {
  const table = new AnswerTable();
  const names = ['a', 'ab', 'abc', 'abcd', 'abcde', 'a.b', 'a.bc', 'ab.c', 'abc.d', 'abcdefg.h'];
  for (const [group, name] of names.entries()) {
    expect(table.find(queryOf(name))).toBeUndefined();
    table.keep(queryOf(name), { kind: 'geo', group, own: new Map(), shared: undefined });
  }
  for (const [group, name] of names.entries())
    expect(table.find(queryOf(name.toUpperCase()))).toMatchObject({ group });
});
