import { expect, test } from 'vitest';
import { formatHttpDate, parseHttpDate } from './http-date.ts';

/** RFC 9110 §5.6.7's own example. */
const TIME_S = 784_111_777;
const AROUND_S = Date.UTC(2026, 10, 21) / 1000;

test('a date is written as IMF-fixdate', () => {
  expect(formatHttpDate(TIME_S)).toBe('Sun, 06 Nov 1994 08:49:37 GMT');
});

test.each([
  { text: 'Sun, 06 Nov 1994 08:49:37 GMT', timeS: TIME_S },
  { text: 'Sunday, 06-Nov-94 08:49:37 GMT', timeS: TIME_S },
  { text: 'Sun Nov  6 08:49:37 1994', timeS: TIME_S },
  { text: 'Mon, 06 Nov 1994 08:49:37 GMT', timeS: TIME_S },
  { text: 'Sat, 31 Dec 2016 23:59:60 GMT', timeS: Date.UTC(2017, 0, 1) / 1000 },
  { text: 'Thu, 29 Feb 2024 00:00:00 GMT', timeS: Date.UTC(2024, 1, 29) / 1000 },
  { text: 'Wednesday, 01-Jan-75 00:00:00 GMT', timeS: Date.UTC(2075, 0, 1) / 1000 },
  { text: 'Wednesday, 01-Jan-76 00:00:00 GMT', timeS: Date.UTC(2076, 0, 1) / 1000 },
  { text: 'Saturday, 01-Jan-77 00:00:00 GMT', timeS: Date.UTC(1977, 0, 1) / 1000 },
  { text: 'Fri, 31 Dec 9999 23:59:59 GMT', timeS: Date.UTC(9999, 11, 31, 23, 59, 59) / 1000 },
  { text: 'Thu, 01 Jan 0099 00:00:00 GMT', timeS: Number.NEGATIVE_INFINITY },
])('§5.6.7: "$text" is $timeS', ({ text, timeS }) => {
  expect(parseHttpDate(text, AROUND_S)).toBe(timeS);
});

test.each([
  '',
  'now',
  '0',
  '2026-11-21T00:00:00Z',
  'Sun, 06 Nov 1994 08:49:37',
  'Sun, 06 Nov 1994 08:49:37 UTC',
  'Sun, 06 Nov 1994 08:49:37 +0000',
  'Sun,  06 Nov 1994 08:49:37 GMT',
  'sun, 06 nov 1994 08:49:37 gmt',
  'Sun, 6 Nov 1994 08:49:37 GMT',
  'Sun, 06-Nov-1994 08:49:37 GMT',
  'Sun, 00 Nov 1994 08:49:37 GMT',
  'Sun, 31 Nov 1994 08:49:37 GMT',
  'Wed, 29 Feb 2023 00:00:00 GMT',
  'Sun, 29 Feb 1900 00:00:00 GMT',
  'Sun, 06 Abc 1994 08:49:37 GMT',
  'Sun, 06 Nov 1994 24:00:00 GMT',
  'Sun, 06 Nov 1994 08:60:00 GMT',
  'Sun, 06 Nov 1994 08:49:61 GMT',
  'Sun Nov 6 08:49:37 1994',
  'Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT',
  ' Sun, 06 Nov 1994 08:49:37 GMT',
  'S'.repeat(10_000),
])('"%s" is no date', (text) => {
  expect(parseHttpDate(text, AROUND_S)).toBeUndefined();
});
