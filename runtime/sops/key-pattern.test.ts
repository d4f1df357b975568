import { expect, test } from 'vitest';
import { parseKeyPattern } from './key-pattern.ts';

test.each([
  { pattern: '^data$', fits: ['data'], not: ['metadata', 'dat', ''] },
  { pattern: '^(data|stringData)$', fits: ['data', 'stringData'], not: ['Data', 'datastringData'] },
  { pattern: 'data', fits: ['data', 'metadata', 'database'], not: ['date'] },
  { pattern: '^pass.*d$|_key$', fits: ['passwd', 'password', 'api_key'], not: ['key', 'pass'] },
  { pattern: '(?i)^data$', fits: ['DATA', 'data'], not: ['DAT'] },
  { pattern: '^[a-c_-]+$', fits: ['abc', 'a-b_c'], not: ['abcd', ''] },
  { pattern: '^[^a-c]$', fits: ['d'], not: ['a'] },
  { pattern: '^\\d\\.\\w?$', fits: ['1.', '1.a'], not: ['1a', 'a.'] },
  { pattern: '^(?:ab)*$', fits: ['', 'abab'], not: ['aba'] },
  { pattern: '', fits: ['', 'anything'], not: [] },
])('$pattern', ({ pattern, fits, not }) => {
  const parsed = parseKeyPattern(pattern);
  expect(fits.filter((key) => !parsed?.fits(key))).toEqual([]);
  expect(not.filter((key) => parsed?.fits(key))).toEqual([]);
});

test.each([
  '(',
  ')',
  '[',
  '[]',
  '*',
  'a{2}',
  '(?=a)',
  '\\b',
  '\\1',
  'a\\',
  '[z-a]',
  'x'.repeat(101),
])('%s is not read', (pattern) => expect(parseKeyPattern(pattern)).toBeUndefined());

test('what takes others for ever takes no time', () => {
  const parsed = parseKeyPattern('^(a|a|aa)*(a*)*$');
  expect(parsed?.fits(`${'a'.repeat(900)}b`)).toBe(false);
  expect(parsed?.fits('a'.repeat(900))).toBe(true);
});

/** Against the language's own, over all short patterns of a small alphabet. */
test('short patterns say what RegExp says', () => {
  const letters = ['a', 'b', '.', '|', '(', ')', '*', '?', '^', '$'];
  const keys = ['', 'a', 'b', 'ab', 'ba', 'aab', 'bb'];
  let count = 0;
  for (let number = 0; number < 30_000; number += 1) {
    let pattern = '';
    for (let rest = number * 7 + 1; rest > 0; rest = Math.floor(rest / 10))
      pattern += letters[rest % 10];
    const parsed = parseKeyPattern(pattern);
    if (parsed === undefined) continue;
    count += 1;
    // Nothing may be repeated at a place where no letter is: `^*`.
    if (/[\^$]\)*[*?]/.test(pattern)) continue;
    const wanted = new RegExp(pattern);
    for (const key of keys)
      expect([pattern, key, parsed.fits(key)]).toEqual([pattern, key, wanted.test(key)]);
  }
  expect(count).toBeGreaterThan(1_000);
});
