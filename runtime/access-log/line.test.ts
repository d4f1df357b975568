import { expect, test } from 'vitest';
import { type AccessEntry, FIELD_LENGTH_MAX, formatLine } from './line.ts';

const ENTRY: AccessEntry = {
  atMs: Date.parse('2026-11-21T03:04:05.678Z'),
  ...{ node: 'fra1', site: 'default/blog', client: '203.0.113.7', host: 'blog.test' },
  ...{ method: 'GET', path: '/a%20b?c=d', protocol: 'HTTP/2.0', status: 200, bytes: 1234 },
  ...{ durationMs: 1.23456, ending: 'whole', referer: 'https://x.test/', userAgent: 'curl/8' },
};

test('combined is as nginx and Apache write it', () => {
  expect(formatLine(ENTRY, 'combined')).toBe(
    '203.0.113.7 - - [21/Nov/2026:03:04:05 +0000] "GET /a%20b?c=d HTTP/2.0" 200 1234 "https://x.test/" "curl/8"\n',
  );
  const bare = { ...ENTRY, client: undefined, referer: undefined, userAgent: undefined };
  expect(formatLine({ ...bare, bytes: 0, status: 304 }, 'combined')).toBe(
    '- - - [21/Nov/2026:03:04:05 +0000] "GET /a%20b?c=d HTTP/2.0" 304 0 "-" "-"\n',
  );
});

test('json is one object, without what is not known', () => {
  expect(JSON.parse(formatLine(ENTRY, 'json'))).toEqual({
    time: '2026-11-21T03:04:05.678Z',
    ...{ node: 'fra1', site: 'default/blog', client: '203.0.113.7', host: 'blog.test' },
    ...{ method: 'GET', path: '/a%20b?c=d', protocol: 'HTTP/2.0', status: 200, bytes: 1234 },
    ...{ durationMs: 1.235, referer: 'https://x.test/', userAgent: 'curl/8' },
  });
  const bare = { ...ENTRY, client: undefined, referer: undefined, ending: 'cut' } as const;
  const value = JSON.parse(formatLine(bare, 'json')) as Record<string, unknown>;
  expect(value).not.toHaveProperty('client');
  expect(value).not.toHaveProperty('referer');
  expect(value['complete']).toBe(false);
});

/** What clients have sent to write lines of their own, or to do something to a terminal. */
const HOSTILE: readonly (readonly [what: string, sent: string, combined: string])[] = [
  ['a quote', 'a" 200 0 "-" "b', 'a\\x22 200 0 \\x22-\\x22 \\x22b'],
  ['a backslash', 'a\\"', 'a\\x5C\\x22'],
  ['an escape that looks made by us', '\\x22', '\\x5Cx22'],
  ['a line end', 'a\r\nGET /evil', 'a\\x0D\\x0AGET /evil'],
  ['a tab', 'a\tb', 'a\\x09b'],
  ['NUL', 'a\0b', 'a\\x00b'],
  ['a terminal sequence', '\u001b[2J', '\\x1B[2J'],
  ['a terminal sequence of one byte', '\u009b2J', '\\x9B2J'],
  ['DEL', 'a\u007f', 'a\\x7F'],
  ['UTF-8 as its bytes', '\u00c3\u00bc', '\\xC3\\xBC'],
  ['a line end of Unicode', 'a\u2028b\u0085', 'a\\xE2\\x80\\xA8b\\x85'],
  ['text that runs backwards', '\u202egnp.exe', '\\xE2\\x80\\xAEgnp.exe'],
  ['half a character', 'a\ud800', 'a\\xEF\\xBF\\xBD'],
  ['nothing at all', '', ''],
];

test.each(HOSTILE)('%s stays one field of one line', (_, sent, expected) => {
  const hostile = { ...ENTRY, path: sent, referer: sent, userAgent: sent, host: sent };
  const line = formatLine({ ...hostile, method: sent }, 'combined');
  expect(line).toBe(
    `203.0.113.7 - - [21/Nov/2026:03:04:05 +0000] "${expected} ${expected} HTTP/2.0" 200 1234 "${expected}" "${expected}"\n`,
  );
  const json = formatLine({ ...hostile, method: sent }, 'json');
  for (const written of [line, json]) expect(written).toMatch(/^[ -~]*\n$/);
  const { path, userAgent, referer, host, method } = JSON.parse(json) as Record<string, string>;
  const said = [path, userAgent, referer, host, method];
  expect(said).toEqual(said.map(() => sent));
});

test('a field is as long as it may be, and no longer', () => {
  const most = 'x'.repeat(FIELD_LENGTH_MAX);
  expect(formatLine({ ...ENTRY, userAgent: most }, 'combined')).toContain(`"${most}"`);
  const cut = formatLine({ ...ENTRY, userAgent: `${most}y` }, 'json');
  const { userAgent } = JSON.parse(cut) as { readonly userAgent: string };
  expect(userAgent).toBe(`${'x'.repeat(FIELD_LENGTH_MAX - 3)}...`);
  const worst = '"'.repeat(16_384);
  const line = formatLine({ ...ENTRY, path: worst, referer: worst, userAgent: worst }, 'combined');
  expect(line.length).toBeLessThan(4 * 3 * FIELD_LENGTH_MAX + 200);
});
