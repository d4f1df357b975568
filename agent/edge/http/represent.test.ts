import { describe, expect, test } from 'vitest';
import { contentTypeOf } from '../../../runtime/content/content-type.ts';
import { digestOf } from '../../../runtime/content/digest.ts';
import type { ReleaseFile } from '../../../runtime/content/manifest.ts';
import type { Variant, Variants } from '../../../runtime/content/variants.ts';
import type { HttpRequest } from '../../../runtime/http.ts';
import { compileRelease, type EdgeFile, etagOf } from '../release.ts';
import { RANGES_MAX } from './range.ts';
import { type FileOptions, fileResponse, notFound } from './represent.ts';
import type { EdgeResponse } from './response.ts';

const TEXT = Array.from({ length: 1000 }, (_, index) => String(index % 10)).join('');
const CONTENT: Readonly<Record<string, string>> = {
  'app.js': TEXT,
  'photo.png': TEXT.slice(1),
  'empty.txt': '',
  'short.txt': '0123456789',
  'assets/index-GoDQC6Oc.js': `${TEXT}x`,
  'shader.WGSL': `${TEXT}shader`,
};
/** By digest of what they are forms of. */
const FORMS: Variants = new Map([
  [
    digestOf(Buffer.from(TEXT)),
    [form('br', 'b'.repeat(300)), form('zstd', 'z'.repeat(280)), form('gzip', 'g'.repeat(400))],
  ],
]);
const BLOBS: readonly string[] = [
  ...Object.values(CONTENT),
  ...['b'.repeat(300), 'z'.repeat(280), 'g'.repeat(400)],
];
const SWITCHED_S = Date.UTC(2026, 10, 21, 12, 0, 0) / 1000;
const DATE = 'Sat, 21 Nov 2026 12:00:00 GMT';
const EARLIER = 'Sat, 21 Nov 2026 11:59:59 GMT';
const LATER = 'Sat, 21 Nov 2026 12:00:01 GMT';
const PLAIN: FileOptions = {
  modifiedS: SWITCHED_S,
  lastModified: DATE,
  immutableAssets: true,
  mimeTypes: new Map(),
};

function form(coding: Variant['coding'], text: string): Variant {
  return { coding, digest: digestOf(Buffer.from(text)), sizeBytes: text.length };
}

function file(path: string, forms: Variants = FORMS): EdgeFile {
  const bytes = Buffer.from(CONTENT[path] ?? '');
  const listed: ReleaseFile = {
    ...{ path, digest: digestOf(bytes), sizeBytes: bytes.length },
    contentType: contentTypeOf(path),
  };
  const known = { variants: forms, absent: new Set<never>(), from: 'a test' };
  const found = compileRelease(digestOf(bytes), [listed], known).files.get(path);
  if (found === undefined) throw new Error(`no ${path}`);
  return found;
}

function ask(
  path: string,
  headers: HttpRequest['headers'] = {},
  {
    method = 'GET',
    options = PLAIN,
    forms = FORMS,
  }: { method?: string; options?: FileOptions; forms?: Variants } = {},
): EdgeResponse {
  const request = { method, path: `/${path}`, host: 'a.test', headers, secure: true };
  return fileResponse(request, file(path, forms), options);
}

const header = ({ headers }: EdgeResponse, name: string): string | undefined =>
  new Map(headers).get(name);

/** What the client would read. */
function read({ body }: EdgeResponse): string | undefined {
  if (body.kind !== 'blob' && body.kind !== 'parts') return undefined;
  const text = BLOBS.find((each) => digestOf(Buffer.from(each)) === body.digest) ?? '';
  if (body.kind === 'blob') return text.slice(body.start, body.end);
  const parts = body.parts.map(({ head, start, end }) => head + text.slice(start, end));
  return parts.join('') + body.tail;
}

const tagOf = (text: string): string => etagOf(digestOf(Buffer.from(text)));
const TAG = tagOf(TEXT);
const BR = 'b'.repeat(300);

test('§9.3.1: a file is sent with all that is known of it', () => {
  const response = ask('app.js');
  expect(read(response)).toBe(TEXT);
  expect(response.status).toBe(200);
  expect(Object.fromEntries(response.headers)).toEqual({
    'content-type': 'text/javascript;charset=utf-8',
    vary: 'accept-encoding',
    etag: TAG,
    'cache-control': 'public, max-age=0, must-revalidate',
    'last-modified': DATE,
    'accept-ranges': 'bytes',
    'content-length': '1000',
  });
});

describe('§8.8.3: entity tags', () => {
  test('are strong, and others for each coding', () => {
    const tags = ['identity', 'br', 'zstd', 'gzip'].map((coding) =>
      header(ask('app.js', { 'accept-encoding': coding }), 'etag'),
    );
    expect(new Set(tags).size).toBe(4);
    for (const tag of tags) expect(tag).toMatch(/^"[0-9a-f]{32}"$/u);
    expect(tags[1]).toBe(tagOf(BR));
  });

  test('without a date, no Last-Modified is made up (§8.8.2.1)', () => {
    const options = { ...PLAIN, modifiedS: undefined, lastModified: undefined };
    expect(header(ask('app.js', {}, { options }), 'last-modified')).toBeUndefined();
    const since = { 'if-modified-since': LATER };
    expect(ask('app.js', since, { options }).status).toBe(200);
    const unmodified = { 'if-unmodified-since': EARLIER };
    expect(ask('app.js', unmodified, { options }).status).toBe(200);
  });
});

/** Where the section speaks of a tag or date, in that order of §13.2.2. */
test.each([
  { section: '13.1.1', when: 'the tag is required', sent: { 'if-match': TAG }, status: 200 },
  { section: '13.1.1', when: 'any is', sent: { 'if-match': '*' }, status: 200 },
  { section: '13.1.1', when: 'one of some is', sent: { 'if-match': `"a", ${TAG}` }, status: 200 },
  { section: '13.1.1', when: 'a weak one is', sent: { 'if-match': `W/${TAG}` }, status: 412 },
  { section: '13.1.1', when: 'another is', sent: { 'if-match': '"other"' }, status: 412 },
  {
    section: '13.1.1',
    when: 'that of another coding is',
    sent: { 'if-match': tagOf(BR) },
    status: 412,
  },
  { section: '13.1.2', when: 'the tag is the same', sent: { 'if-none-match': TAG }, status: 304 },
  { section: '13.1.2', when: 'it is weak', sent: { 'if-none-match': `W/${TAG}` }, status: 304 },
  {
    section: '13.1.2',
    when: 'it is one of a list',
    sent: { 'if-none-match': `"a,b", ${TAG}` },
    status: 304,
  },
  {
    section: '13.1.2',
    when: 'the list comes in several fields',
    sent: { 'if-none-match': ['"a"', TAG] },
    status: 304,
  },
  { section: '13.1.2', when: 'any will do', sent: { 'if-none-match': ' * ' }, status: 304 },
  { section: '13.1.2', when: 'it is another', sent: { 'if-none-match': '"other"' }, status: 200 },
  {
    section: '13.1.2',
    when: 'it is not quoted',
    sent: { 'if-none-match': TAG.slice(1, -1) },
    status: 200,
  },
  {
    section: '13.1.2',
    when: 'it is that of another coding',
    sent: { 'if-none-match': tagOf(BR) },
    status: 200,
  },
  {
    section: '13.1.3',
    when: 'the date is the same',
    sent: { 'if-modified-since': DATE },
    status: 304,
  },
  { section: '13.1.3', when: 'it is later', sent: { 'if-modified-since': LATER }, status: 304 },
  {
    section: '13.1.3',
    when: 'it is earlier',
    sent: { 'if-modified-since': EARLIER },
    status: 200,
  },
  {
    section: '5.6.7',
    when: 'it is in the form of RFC 850',
    sent: { 'if-modified-since': 'Saturday, 21-Nov-26 12:00:00 GMT' },
    status: 304,
  },
  {
    section: '5.6.7',
    when: 'it is in the form of asctime',
    sent: { 'if-modified-since': 'Sat Nov 21 12:00:00 2026' },
    status: 304,
  },
  {
    section: '13.1.3',
    when: 'it is no date',
    sent: { 'if-modified-since': 'tomorrow' },
    status: 200,
  },
  {
    section: '13.1.3',
    when: 'there are two dates',
    sent: { 'if-modified-since': [DATE, DATE] },
    status: 200,
  },
  {
    section: '13.1.3',
    when: 'there is a tag as well, which is another',
    sent: { 'if-modified-since': LATER, 'if-none-match': '"other"' },
    status: 200,
  },
  {
    section: '13.1.4',
    when: 'the date is the same',
    sent: { 'if-unmodified-since': DATE },
    status: 200,
  },
  {
    section: '13.1.4',
    when: 'it is earlier',
    sent: { 'if-unmodified-since': EARLIER },
    status: 412,
  },
  { section: '13.1.4', when: 'it is no date', sent: { 'if-unmodified-since': 'x' }, status: 200 },
  {
    section: '13.1.4',
    when: 'there is a tag as well, which is the same',
    sent: { 'if-unmodified-since': EARLIER, 'if-match': TAG },
    status: 200,
  },
  {
    section: '13.2.2',
    when: 'If-Match comes first',
    sent: { 'if-match': '"other"', 'if-none-match': TAG },
    status: 412,
  },
  {
    section: '13.2.2',
    when: 'If-Unmodified-Since comes before If-None-Match',
    sent: { 'if-unmodified-since': EARLIER, 'if-none-match': TAG },
    status: 412,
  },
  {
    section: '13.2.2',
    when: 'If-Match holds, and then If-None-Match',
    sent: { 'if-match': TAG, 'if-none-match': TAG },
    status: 304,
  },
  {
    section: '13.2.2',
    when: 'If-None-Match comes before Range',
    sent: { 'if-none-match': TAG, range: 'bytes=0-1' },
    status: 304,
  },
  {
    section: '13.2.2',
    when: 'If-Modified-Since comes before Range',
    sent: { 'if-modified-since': DATE, range: 'bytes=0-1' },
    status: 304,
  },
])('§$section: $status when $when', ({ sent, status }) => {
  for (const method of ['GET', 'HEAD']) {
    const response = ask('app.js', sent, { method });
    expect(response.status).toBe(status);
    if (status === 304) {
      expect(response.body).toEqual({ kind: 'none' });
      // §15.4.5: what a 200 would say to a cache, and no more.
      expect(Object.fromEntries(response.headers)).toEqual({
        etag: TAG,
        'cache-control': 'public, max-age=0, must-revalidate',
        vary: 'accept-encoding',
      });
    }
    if (status === 412) expect(header(response, 'cache-control')).toBe('no-store');
  }
});

test.each([
  { range: 'bytes=0-0', reads: '0', contentRange: 'bytes 0-0/1000' },
  { range: 'bytes=5-9', reads: '56789', contentRange: 'bytes 5-9/1000' },
  { range: 'bytes=998-', reads: '89', contentRange: 'bytes 998-999/1000' },
  { range: 'bytes=-3', reads: '789', contentRange: 'bytes 997-999/1000' },
  { range: 'bytes=-9999', reads: TEXT, contentRange: 'bytes 0-999/1000' },
  { range: 'BYTES=998-99999999999999999999', reads: '89', contentRange: 'bytes 998-999/1000' },
  { range: 'bytes=2-3,0-1', reads: '0123', contentRange: 'bytes 0-3/1000' },
])('§15.3.7.1: $range answers $contentRange', ({ range, reads, contentRange }) => {
  const response = ask('app.js', { range });
  expect(response.status).toBe(206);
  expect(read(response)).toBe(reads);
  // All that a 200 has (§15.3.7), but for the length.
  expect(Object.fromEntries(response.headers)).toEqual({
    ...Object.fromEntries(ask('app.js').headers),
    'content-range': contentRange,
    'content-length': String(reads.length),
  });
});

describe('§15.3.7.2: several ranges', () => {
  test('are parts of one body, each with its place', () => {
    const response = ask('app.js', { range: 'bytes=500-503,0-1,-1' });
    expect(response.status).toBe(206);
    const boundary = `b8s-${TAG.slice(1, -1)}`;
    expect(header(response, 'content-type')).toBe(`multipart/byteranges; boundary=${boundary}`);
    expect(header(response, 'content-range')).toBeUndefined();
    const type = 'content-type: text/javascript;charset=utf-8';
    const body = [
      ...[`--${boundary}`, type, 'content-range: bytes 500-503/1000', '', '0123'],
      ...[`--${boundary}`, type, 'content-range: bytes 0-1/1000', '', '01'],
      ...[`--${boundary}`, type, 'content-range: bytes 999-999/1000', '', '9'],
      ...[`--${boundary}--`, ''],
    ].join('\r\n');
    expect(read(response)).toBe(body);
    expect(header(response, 'content-length')).toBe(String(body.length));
    expect(header(response, 'etag')).toBe(TAG);
  });

  test('§17.15: never come to more than the file, however many are asked for', () => {
    const asked = (count: number) =>
      `bytes=${Array.from({ length: count }, (_, index) => `${index * 200}-${index * 200}`).join()}`;
    for (let count = 1; count <= 2 * RANGES_MAX; count += 1) {
      const response = ask('app.js', { range: asked(count) });
      expect(Number(header(response, 'content-length'))).toBeLessThanOrEqual(1000);
      expect(String(read(response)).length).toBe(Number(header(response, 'content-length')));
    }
  });

  test('are sent whole in a coding: what its Content-Encoding would be about is not clear', () => {
    const response = ask('app.js', { range: 'bytes=0-1,290-', 'accept-encoding': 'br' });
    expect(response.status).toBe(200);
    expect(read(response)).toBe(BR);
  });
});

test.each(['bytes=1000-', 'bytes=1000-2000', 'bytes=-0', 'bytes=2000-,-0'])(
  '§15.5.17: %s is beyond the file',
  (range) => {
    const response = ask('app.js', { range });
    expect(response.status).toBe(416);
    expect(header(response, 'content-range')).toBe('bytes */1000');
    expect(header(response, 'cache-control')).toBe('no-store');
    const coded = ask('app.js', { range, 'accept-encoding': 'br' });
    expect(header(coded, 'content-range')).toBe('bytes */300');
  },
);

test.each([
  { section: '14.2', when: 'it runs backwards', sent: { range: 'bytes=5-4' } },
  { section: '14.2', when: 'the unit is unknown', sent: { range: 'lines=0-1' } },
  { section: '14.2', when: 'it is empty', sent: { range: 'bytes=-' } },
  { section: '14.2', when: 'it comes twice', sent: { range: ['bytes=0-1', 'bytes=0-1'] } },
  { section: '13.1.5', when: 'If-Range names another tag', sent: { 'if-range': '"other"' } },
  { section: '13.1.5', when: 'If-Range is weak', sent: { 'if-range': `W/${TAG}` } },
  { section: '13.1.5', when: 'If-Range is of another coding', sent: { 'if-range': tagOf(BR) } },
  { section: '13.1.5', when: 'If-Range is a list', sent: { 'if-range': `${TAG}, ${TAG}` } },
  { section: '13.1.5', when: 'If-Range is any', sent: { 'if-range': '*' } },
  {
    section: '13.1.5',
    when: 'If-Range is a date, and there are codings of that date',
    sent: { 'if-range': DATE },
  },
])('§$section: a range is ignored when $when', ({ sent }) => {
  const response = ask('app.js', { range: 'bytes=0-1', ...sent });
  expect(response.status).toBe(200);
  expect(read(response)).toBe(TEXT);
});

test.each([
  { when: 'the tag is the same', path: 'app.js', ifRange: TAG, status: 206 },
  { when: 'the date is the same', path: 'photo.png', ifRange: DATE, status: 206 },
  { when: 'the date is later', path: 'photo.png', ifRange: LATER, status: 200 },
  { when: 'the date is earlier', path: 'photo.png', ifRange: EARLIER, status: 200 },
])('§13.1.5: $status when $when', ({ path, ifRange, status }) => {
  expect(ask(path, { range: 'bytes=0-1', 'if-range': ifRange }).status).toBe(status);
});

test('§14.2: ranges are for GET; an empty file has none', () => {
  const headers = { range: 'bytes=0-1' };
  expect(ask('app.js', headers, { method: 'HEAD' }).status).toBe(200);
  expect(ask('empty.txt', { range: 'bytes=0-' }).status).toBe(416);
  expect(ask('empty.txt', { range: 'bytes=-5' }).status).toBe(200);
  expect(ask('empty.txt').status).toBe(200);
});

test('§9.3.2: HEAD has the fields of GET, whatever is asked for', () => {
  for (const path of Object.keys(CONTENT))
    for (const coding of [undefined, 'gzip', 'br, gzip;q=0.5', '*;q=0'])
      for (const tag of [undefined, TAG, '*']) {
        const sent = { 'accept-encoding': coding, 'if-none-match': tag };
        const head = ask(path, sent, { method: 'HEAD' });
        expect(head).toEqual(ask(path, sent));
      }
});

describe('§12.5.3: codings', () => {
  test.each([
    { accepted: undefined, coding: undefined, reads: TEXT },
    { accepted: '', coding: undefined, reads: TEXT },
    { accepted: 'gzip', coding: 'gzip', reads: 'g'.repeat(400) },
    { accepted: 'x-gzip', coding: 'gzip', reads: 'g'.repeat(400) },
    { accepted: 'gzip, br', coding: 'br', reads: BR },
    { accepted: 'gzip, deflate, br, zstd', coding: 'zstd', reads: 'z'.repeat(280) },
    { accepted: 'br;q=0.1, gzip;q=0.2', coding: 'gzip', reads: 'g'.repeat(400) },
    { accepted: 'identity, gzip;q=0.5', coding: undefined, reads: TEXT },
    { accepted: 'deflate', coding: undefined, reads: TEXT },
  ])('"$accepted" is answered with $coding', ({ accepted, coding, reads }) => {
    const response = ask('app.js', { 'accept-encoding': accepted });
    expect(response.status).toBe(200);
    expect(header(response, 'content-encoding')).toBe(coding);
    expect(header(response, 'content-length')).toBe(String(reads.length));
    expect(header(response, 'etag')).toBe(tagOf(reads));
    expect(read(response)).toBe(reads);
    // §12.5.5: on each of them, and on each 304.
    expect(header(response, 'vary')).toBe('accept-encoding');
    const sent = { 'accept-encoding': accepted, 'if-none-match': tagOf(reads) };
    expect(ask('app.js', sent).status).toBe(304);
    expect(header(ask('app.js', sent), 'vary')).toBe('accept-encoding');
  });

  test('a range is one of the coding that was chosen, and its tag vouches for it', () => {
    const sent = { 'accept-encoding': 'br', range: 'bytes=290-', 'if-range': tagOf(BR) };
    const response = ask('app.js', sent);
    expect(response.status).toBe(206);
    expect(read(response)).toBe('b'.repeat(10));
    expect(header(response, 'content-range')).toBe('bytes 290-299/300');
    expect(header(response, 'content-encoding')).toBe('br');
    // Begun as it is, and gone on with in a coding: from the start.
    expect(ask('app.js', { ...sent, 'if-range': TAG }).status).toBe(200);
  });

  test('§15.5.7: who refuses all that there is, is told so', () => {
    for (const accepted of ['*;q=0', 'deflate, identity;q=0'])
      for (const path of ['app.js', 'photo.png']) {
        const response = ask(path, { 'accept-encoding': accepted });
        expect(response.status).toBe(406);
        expect(header(response, 'vary')).toBe('accept-encoding');
        expect(header(response, 'cache-control')).toBe('no-store');
      }
  });

  test.each([
    { path: 'app.js', varies: true, when: 'it has other forms' },
    { path: 'assets/index-GoDQC6Oc.js', varies: true, when: 'it may have others some day' },
    { path: 'photo.png', varies: false, when: 'it is compressed in itself' },
    { path: 'short.txt', varies: false, when: 'it is too short' },
  ])('§12.5.5: $path varies: $varies, for $when', ({ path, varies }) => {
    const response = ask(path, { 'accept-encoding': 'br' });
    expect(header(response, 'vary')).toBe(varies ? 'accept-encoding' : undefined);
  });

  test('a form that is larger than its file is not sent, and none that is not here', () => {
    const source = digestOf(Buffer.from(TEXT));
    const large: Variants = new Map([[source, [form('gzip', 'G'.repeat(1000))]]]);
    const response = ask('app.js', { 'accept-encoding': 'gzip' }, { forms: large });
    expect(header(response, 'content-encoding')).toBeUndefined();
    const listed = { ...file('app.js', new Map()) };
    const absent = new Set([form('br', BR).digest]);
    const { files } = compileRelease(source, [listed], { variants: FORMS, absent, from: '' });
    expect(files.get('app.js')?.codings).toEqual(['zstd', 'gzip']);
  });
});

describe('RFC 9111 §5.2.2, RFC 8246: how long it may be kept', () => {
  test.each([
    { path: 'app.js', immutableAssets: true, cache: 'public, max-age=0, must-revalidate' },
    {
      path: 'assets/index-GoDQC6Oc.js',
      immutableAssets: true,
      cache: 'public, max-age=31536000, immutable',
    },
    {
      path: 'assets/index-GoDQC6Oc.js',
      immutableAssets: false,
      cache: 'public, max-age=0, must-revalidate',
    },
  ])('$path, $immutableAssets: $cache', ({ path, immutableAssets, cache }) => {
    const options = { ...PLAIN, immutableAssets };
    expect(header(ask(path, {}, { options }), 'cache-control')).toBe(cache);
    expect(header(ask(path, { 'if-none-match': '*' }, { options }), 'cache-control')).toBe(cache);
    const part = ask(path, { range: 'bytes=0-0' }, { options });
    expect(header(part, 'cache-control')).toBe(cache);
    const beyond = ask(path, { range: 'bytes=5000-' }, { options });
    expect(header(beyond, 'cache-control')).toBe('no-store');
  });
});

test('§8.3: a site may name other content types, by extension', () => {
  const mimeTypes = new Map([
    ['wgsl', 'text/wgsl'],
    ['js', 'application/javascript'],
    ['png', 'image/x-own'],
  ]);
  const options = { ...PLAIN, mimeTypes };
  const typeOf = (path: string) => header(ask(path, {}, { options }), 'content-type');
  expect(typeOf('shader.WGSL')).toBe('text/wgsl');
  expect(typeOf('app.js')).toBe('application/javascript');
  expect(typeOf('short.txt')).toBe('text/plain;charset=utf-8');
  expect(header(ask('shader.WGSL', {}, { options }), 'vary')).toBe('accept-encoding');
  expect(header(ask('shader.WGSL'), 'vary')).toBeUndefined();
  const parts = ask('app.js', { range: 'bytes=0-1,900-' }, { options });
  expect(read(parts)).toContain('content-type: application/javascript\r\n');
});

test('§15.5.5: a page for what is not there is sent in a coding, and never kept', () => {
  const headers = { 'accept-encoding': 'br', range: 'bytes=0-0', 'if-none-match': '*' };
  const response = notFound({ headers }, file('app.js'), PLAIN);
  expect(response.status).toBe(404);
  expect(read(response)).toBe(BR);
  expect(Object.fromEntries(response.headers)).toEqual({
    'content-type': 'text/javascript;charset=utf-8',
    'content-encoding': 'br',
    vary: 'accept-encoding',
    'content-length': '300',
    'cache-control': 'no-store',
  });
  const refused = notFound({ headers: { 'accept-encoding': '*;q=0' } }, file('app.js'), PLAIN);
  expect(read(refused)).toBe(TEXT);
  expect(notFound({ headers }, undefined, PLAIN)).toMatchObject({ status: 404 });
});
