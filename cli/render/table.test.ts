import { expect, test } from 'vitest';
import { NONE } from '../../api/column.ts';
import { printable } from '../../runtime/printable.ts';
import { renderTable } from './table.ts';

test('columns are three spaces apart and the last one is not padded', () => {
  const rows = [
    ['blog', 'True', '2d'],
    ['a-long-name', 'Unknown', '5m30s'],
  ];
  expect(renderTable(rows, { header: ['NAME', 'READY', 'AGE'] })).toBe(
    [
      'NAME          READY     AGE',
      'blog          True      2d',
      'a-long-name   Unknown   5m30s',
      '',
    ].join('\n'),
  );
});

test('a table goes on with the widths of the one before', () => {
  expect(renderTable([['a', 'b']], { widths: [4, 1] })).toBe('a      b\n');
});

test.each([
  { when: 'an escape sequence', text: '\u001b[31mred', shown: '\\u001b[31mred' },
  { when: 'a line break', text: 'one\ntwo', shown: 'one\\ntwo' },
  { when: 'a bidirectional override', text: 'a\u202eb', shown: 'a\\u202eb' },
  { when: 'letters of any script', text: 'Zürich 東京', shown: 'Zürich 東京' },
])('printable spells out $when', ({ text, shown }) => {
  expect(printable(text)).toBe(shown);
});

const NARROW = [
  ['a-name-that-is-long', 'some words that need much room', 'and these do, too, yes'],
  ['b', 'short', 'x'],
];
const HEADER = ['NAME', 'HOSTS', 'MESSAGE'];

test('a table that is too wide is cut in its widest columns, and never in names', () => {
  const text = renderTable(NARROW, { header: HEADER, columns: 50 });
  expect(text).toBe(
    [
      'NAME                  HOSTS          MESSAGE',
      'a-name-that-is-long   some words…    and these do…',
      'b                     short          x',
      '',
    ].join('\n'),
  );
});

test('the last column of a page goes on below', () => {
  const text = renderTable(NARROW, { header: HEADER, columns: 50, last: 'wrap' });
  expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(50);
  expect(text).toContain('yes');
});

test('where not all columns fit, some are left out: first those that say nothing', () => {
  const header = ['NAME', 'READY', 'HOSTS', 'LAST-ERROR', 'EXPIRES-IN'];
  const fine = [['a-name-that-is-long', 'True', 'a.example.com, b.example.com', NONE, '89d']];
  const bad = [['blog', 'False', 'a.example.com', 'the CA does not answer', '89d']];
  const heads = (rows: typeof fine, columns: number) =>
    renderTable(rows, { header, columns }).split('\n')[0]?.split(/ +/);
  expect(heads(fine, 60)).toEqual(['NAME', 'READY', 'HOSTS', 'EXPIRES-IN']);
  expect(heads(fine, 45)).toEqual(['NAME', 'READY', 'HOSTS']);
  expect(heads(bad, 40)).toEqual(['NAME', 'READY', 'HOSTS', 'LAST-ERROR']);
  expect(heads(bad, 30)).toEqual(['NAME', 'READY', 'LAST-ERROR']);
  // A name and whether it is ready are there whatever the terminal.
  expect(heads(bad, 5)).toEqual(['NAME', 'READY']);
});
