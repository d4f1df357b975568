import { describe, expect, test } from 'vitest';
import { linkTargets, nonceOf, retryAfterMs } from './headers.ts';

const NOW_MS = Date.UTC(2026, 10, 21, 12, 0, 0);
const DAY_MS = 86_400_000;

describe('Retry-After (RFC 9110 §10.2.3)', () => {
  test.each([
    { when: 'seconds', value: '120', expected: 120_000 },
    { when: 'at once', value: '0', expected: 0 },
    { when: 'spaces around it', value: ' 5 ', expected: 5_000 },
    { when: 'a date', value: 'Sat, 21 Nov 2026 12:01:00 GMT', expected: 60_000 },
    { when: 'a date in the past', value: 'Sat, 21 Nov 2026 11:00:00 GMT', expected: 0 },
    { when: 'an old form of date', value: 'Saturday, 21-Nov-26 12:00:30 GMT', expected: 30_000 },
    { when: 'longer than a day', value: '999999999', expected: DAY_MS },
    { when: 'a date far away', value: 'Sat, 21 Nov 2099 12:00:00 GMT', expected: DAY_MS },
    { when: 'nothing', value: undefined, expected: undefined },
    { when: 'empty', value: '', expected: undefined },
    { when: 'negative', value: '-5', expected: undefined },
    { when: 'a fraction', value: '1.5', expected: undefined },
    { when: 'more digits than sense', value: '9'.repeat(40), expected: undefined },
    { when: 'words', value: 'Sat, soon', expected: undefined },
    { when: 'a year alone', value: '2026-11-21', expected: undefined },
    { when: 'very long', value: `Sat, ${' '.repeat(10_000)}`, expected: undefined },
  ])('$when', ({ value, expected }) => {
    expect(retryAfterMs(value, NOW_MS)).toBe(expected);
  });
});

describe('Link (RFC 8288 §3)', () => {
  test.each([
    { when: 'one', value: '<https://ca/a>; rel="alternate"', expected: ['https://ca/a'] },
    { when: 'no quotes', value: '<https://ca/a>;rel=alternate', expected: ['https://ca/a'] },
    { when: 'other case', value: '<https://ca/a>; Rel="Alternate"', expected: ['https://ca/a'] },
    {
      when: 'two relations',
      value: '<https://ca/a>; rel="x alternate"',
      expected: ['https://ca/a'],
    },
    {
      when: 'several in one header',
      value:
        '<https://ca/a>; rel="alternate", <https://ca/b>; rel="up", <https://ca/c>; rel=alternate',
      expected: ['https://ca/a', 'https://ca/c'],
    },
    {
      when: 'several headers',
      value: ['<https://ca/index>; rel="index"', '<https://ca/a>; rel="alternate"'],
      expected: ['https://ca/a'],
    },
    { when: 'a comma in a title', value: '<u>; title="a, b"; rel=alternate', expected: ['u'] },
    { when: 'another relation', value: '<https://ca/a>; rel="alternates"', expected: [] },
    { when: 'nothing', value: undefined, expected: [] },
    { when: 'no end', value: '<https://ca/a; rel="alternate"', expected: [] },
  ])('$when', ({ value, expected }) => {
    expect(linkTargets(value, 'alternate')).toEqual(expected);
  });

  test.each([
    { when: 'many openings', text: '<'.repeat(16_000) },
    { when: 'many parameters', text: `<u>${';'.repeat(16_000)}` },
    { when: 'many quotes', text: `<u>${';a="'.repeat(4_000)}` },
    { when: 'many spaces', text: `<u>${' ;'.repeat(8_000)}x` },
    { when: 'many links', text: '<u>;rel=x,'.repeat(1_600) },
  ])('$when take no time', ({ text }) => {
    // Else it would not end in time.
    expect(linkTargets([text, text, text], 'alternate')).toEqual([]);
  });
});

test.each([
  { nonce: 'oFvnlFP1wIhRlYS2jTaXbA', expected: true },
  { nonce: 'A', expected: true },
  { nonce: '', expected: false },
  { nonce: 'with=padding', expected: false },
  { nonce: 'with space', expected: false },
  { nonce: 'a'.repeat(513), expected: false },
  { nonce: undefined, expected: false },
])('a nonce is base64url (RFC 8555 §6.5.1): $nonce', ({ nonce, expected }) => {
  expect(nonceOf(nonce)).toBe(expected ? nonce : undefined);
});
