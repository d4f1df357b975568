import { expect, test } from 'vitest';
import { ANSWERS_MAX, AnswerTable, type Known } from './answer-table.ts';
import { newPlainQuery, readPlainQuery } from './plain-query.ts';

function queryOf(name: string) {
  const labels = name.split('.').map((label) => `${String.fromCharCode(label.length)}${label}`);
  const message = Buffer.concat([
    Buffer.from([0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
    Buffer.from(`${labels.join('')}\0`, 'latin1'),
    Buffer.from([0, 1, 0, 1]),
  ]);
  const query = newPlainQuery('ignored');
  expect(readPlainQuery(message, message.length, query)).toBe(true);
  return { message, query };
}

test('every answer is found as the table grows, in any case of letters', () => {
  const table = new AnswerTable();
  const kept = new Map<string, Known>();
  for (let index = 0; index < 20_000; index += 1) {
    const known: Known = { kind: 'geo', group: index, own: new Map(), shared: undefined };
    const { message, query } = queryOf(`n${index}.example`);
    expect(table.find(message, query)).toBeUndefined();
    table.keep(message, query, known);
    kept.set(`N${index}.eXample`, known);
  }
  for (const [name, known] of kept) {
    const { message, query } = queryOf(name);
    expect(table.find(message, query)).toBe(known);
  }
});

test('a full table begins anew, with what is asked for twice', () => {
  const table = new AnswerTable();
  for (let index = 0; index <= ANSWERS_MAX; index += 1) {
    const { message, query } = queryOf(`n${index}`);
    expect(table.admits(query)).toBe(true);
    table.keep(message, query, { kind: 'general' });
  }
  const { message, query } = queryOf('n1');
  expect(table.find(message, query)).toBeUndefined();
  expect([table.admits(query), table.admits(query)]).toEqual([false, true]);
});
