import { describe, expect, test } from 'vitest';
import { type NameKey, ROOT } from '../message/name.ts';
import { nsecRrset, successor, typeBitmap } from './nsec.ts';
import { compareNames } from './verifier.fixture.ts';

function key(...labels: readonly string[]): NameKey {
  return labels.map((label) => String.fromCharCode(label.length) + label).join('') as NameKey;
}

function labelsOf(name: NameKey): readonly string[] {
  const labels: string[] = [];
  for (let rest: string = name; rest !== ''; rest = rest.slice(1 + rest.charCodeAt(0)))
    labels.push(rest.slice(1, 1 + rest.charCodeAt(0)));
  return labels;
}

test('RFC 4034 §6.1: the example is in order', () => {
  const order = [
    ['example'],
    ['a', 'example'],
    ['yljkjljk', 'a', 'example'],
    ['z', 'a', 'example'],
    ['zabc', 'a', 'example'],
    ['z', 'example'],
    ['\x01', 'z', 'example'],
    ['*', 'z', 'example'],
    ['\xc8', 'z', 'example'],
  ];
  expect(order.toReversed().toSorted(compareNames)).toEqual(order);
});

test.each([
  {
    when: 'RFC 4034 §4.3: the example',
    types: [1, 15, 46, 47, 1234],
    bits: `0006400100000003 041b${'00'.repeat(26)}20`,
  },
  {
    when: 'RFC 9824 §3.1: no such name',
    types: [46, 47, 128],
    bits: '0011 000000000003 00000000000000000000 80',
  },
  { when: 'the last type of all', types: [65_535], bits: `ff20${'00'.repeat(31)}01` },
  { when: 'no type', types: [], bits: '' },
])('type bit maps: $when', ({ types, bits }) => {
  expect(typeBitmap(types).toString('hex')).toBe(bits.replaceAll(' ', ''));
});

const ORIGIN = key('example');
const [LONG, MAX] = ['x'.repeat(60), 'x'.repeat(63)];
const FULL = '\xff'.repeat(63);

describe('RFC 4470 §4: the next name that there could be', () => {
  test.each([
    { when: 'a label more in front', name: key('a', 'example'), next: key('\0', 'a', 'example') },
    { when: 'the origin has names below it', name: ORIGIN, next: key('\0', 'example') },
    {
      when: 'no room for a label: a byte more',
      name: key(`${LONG}x`, LONG, LONG, LONG, 'example'),
      next: key(`${LONG}x\0`, LONG, LONG, LONG, 'example'),
    },
    {
      when: 'nor for a byte: the last one is greater',
      name: key(`${LONG}xx`, LONG, LONG, LONG, 'example'),
      next: key(`${LONG}xy`, LONG, LONG, LONG, 'example'),
    },
    {
      when: 'capital letters are passed over',
      name: key(`${LONG}x@`, LONG, LONG, LONG, 'example'),
      next: key(`${LONG}x[`, LONG, LONG, LONG, 'example'),
    },
    {
      when: 'the greatest byte is carried',
      name: key(`${LONG}x\xff`, LONG, LONG, LONG, 'example'),
      next: key(`${LONG}y`, LONG, LONG, LONG, 'example'),
    },
    {
      when: 'the greatest label is passed over',
      name: key('\xff'.repeat(62), LONG, LONG, LONG, 'example'),
      next: key(`${LONG}\0`, LONG, LONG, 'example'),
    },
    {
      when: 'after the last name of all comes the origin',
      name: key('\xff'.repeat(53), FULL, FULL, FULL, 'example'),
      next: ORIGIN,
    },
    {
      when: 'in the root zone',
      name: key(MAX, MAX, MAX, 'x'.repeat(61)),
      next: key(`${'x'.repeat(62)}y`, MAX, MAX, 'x'.repeat(61)),
    },
  ])('$when', ({ name, next }) => {
    expect(labelsOf(successor(name, name.endsWith(ORIGIN) ? ORIGIN : ROOT))).toEqual(
      labelsOf(next),
    );
    expect(next.length).toBeLessThanOrEqual(254);
    if (next !== ORIGIN) expect(compareNames(labelsOf(name), labelsOf(next))).toBeLessThan(0);
  });
});

test('an NSEC record names itself and signatures, whatever else there is', () => {
  const { records, ttlS } = nsecRrset({ owner: ORIGIN, origin: ORIGIN, types: [6, 2], ttlS: 60 });
  expect(records[0]?.text).toBe('\\000.example. NS SOA RRSIG NSEC');
  expect(ttlS).toBe(60);
});
