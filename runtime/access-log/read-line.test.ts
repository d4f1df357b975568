import { expect, test } from 'vitest';
import { type AccessEntry, formatLine } from './line.ts';
import { lineTimeMs, readLine } from './read-line.ts';

const FROM = { node: 'fra1', site: 'default/blog' };
const ENTRY: AccessEntry = {
  ...{ atMs: Date.parse('2026-02-28T23:59:59.678Z'), ...FROM, client: '2001:db8::7' },
  ...{ host: 'blog.test', method: 'GET', path: '/a"b\\c \u00fc', protocol: 'HTTP/1.1' },
  ...{ status: 206, bytes: 12, durationMs: 1.5, ending: 'cut' },
  ...{ referer: undefined, userAgent: 'x "y"' },
};

test('what json lines say is read whole', () => {
  const line = formatLine(ENTRY, 'json').trimEnd();
  expect(readLine(line, { node: 'other', site: 'other' })).toEqual(ENTRY);
  expect(lineTimeMs(line)).toBe(ENTRY.atMs);
});

test('of combined lines what they say is read, to the second', () => {
  const line = formatLine(ENTRY, 'combined').trimEnd();
  const atMs = Date.parse('2026-02-28T23:59:59Z');
  const { host: _, durationMs: __, ...known } = ENTRY;
  expect(readLine(line, FROM)).toEqual({ ...known, atMs, ending: 'whole' });
  expect(lineTimeMs(line)).toBe(atMs);
});

test.each([
  '',
  '{',
  '{}',
  'null',
  '{"time":1}',
  '{"time":"2026-02-28T23:59:59.678Z"',
  '{"time":"yesterday, more or less"}',
  '[]',
  'a line that was cut off',
  '- - - [28/Feb/2026:23:59:59 +0000] "GET / HTTP/1.1" 200',
  '- - - [28/Foo/2026:23:59:59 +0000] "GET / HTTP/1.1" 200 1 "-" "-"',
  '- - - [28/anF/2026:23:59:59 +0000] "GET / HTTP/1.1" 200 1 "-" "-"',
  '- - - [28/Feb/2026:23:59:59 +0100] "GET / HTTP/1.1" 200 1 "-" "-"',
])('%j is no line', (line) => {
  expect(readLine(line, FROM)).toBeUndefined();
});
