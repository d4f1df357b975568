import { expect, test } from 'vitest';
import { CONTENT_CODINGS } from '../../../runtime/content/content-coding.ts';
import { digestOf } from '../../../runtime/content/digest.ts';
import type { Variants } from '../../../runtime/content/variants.ts';
import { compileRelease, etagOf } from '../release.ts';
import { RANGES_MAX } from './range.ts';
import { fileResponse } from './represent.ts';
import type { EdgeResponse } from './response.ts';

const ROUNDS = 10_000;
const TEXT = Array.from({ length: 5_000 }, (_, index) =>
  String.fromCharCode(33 + (index % 90)),
).join('');
const FORM_TEXTS = CONTENT_CODINGS.map((coding, index) => coding.repeat(200 + index));
const FORMS: Variants = new Map([
  [
    digestOf(Buffer.from(TEXT)),
    CONTENT_CODINGS.map((coding, index) => {
      const text = FORM_TEXTS[index] ?? '';
      return { coding, digest: digestOf(Buffer.from(text)), sizeBytes: text.length };
    }),
  ],
]);
const BLOBS = [TEXT, ...FORM_TEXTS];
const DATE = 'Sat, 21 Nov 2026 12:00:00 GMT';

/** Numbers that are the same each time. */
function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const WORDS = [
  ...['bytes', 'BYTES', '=', '-', ',', ' ', ';', '*', '"', 'W/', 'q=', '0', '1', '0.5', '\t', 'x'],
  ...['499', '5000', '4999', '99999999999999999999', 'gzip', 'x-gzip', 'br', 'zstd', 'identity'],
  ...['\u0000', '\u00ff', 'bytes=0-0', 'bytes=-1', 'bytes=10-20,3000-3040', DATE, 'GMT'],
  ...['identity;q=0', '*;q=0', 'gzip;q=0.5,', 'bytes=5000-', 'bytes=-0', ',100-200'],
  ...BLOBS.map((text) => etagOf(digestOf(Buffer.from(text)))),
];
const FIELDS = [
  ...['range', 'if-range', 'if-match', 'if-none-match', 'if-modified-since'],
  ...['if-unmodified-since', 'accept-encoding'],
];

function drawHeaders(roll: (below: number) => number) {
  const headers: Record<string, string | readonly string[]> = {};
  const draw = (): string =>
    Array.from({ length: roll(4) }, () => WORDS[roll(WORDS.length)]).join('');
  for (let left = roll(4); left > 0; left -= 1) {
    const value = roll(10) === 0 ? [draw(), draw()] : draw();
    headers[FIELDS[roll(FIELDS.length)] ?? ''] = value;
  }
  return headers;
}

/** What is sent: as many bytes as it says, of one blob, none of them twice. */
function checkBody({ status, headers, body }: EdgeResponse): void {
  const lengthBytes = Number(new Map(headers).get('content-length') ?? Number.NaN);
  if (body.kind === 'none') return expect(status).toBe(304);
  if (body.kind === 'text') {
    expect([406, 412, 416]).toContain(status);
    return expect(Buffer.byteLength(body.text)).toBe(lengthBytes);
  }
  const blob = BLOBS.find((text) => digestOf(Buffer.from(text)) === body.digest);
  expect(body.sizeBytes).toBe(blob?.length);
  if (body.kind === 'blob') {
    expect(status).toBe(lengthBytes === body.sizeBytes && body.start === 0 ? status : 206);
    expect(body.end - body.start).toBe(lengthBytes);
    expect(body.start >= 0 && body.end <= body.sizeBytes).toBe(true);
    return;
  }
  const sizes = body.parts.map(({ head, start, end }) => head.length + end - start);
  expect(sizes.reduce((sum, size) => sum + size, body.tail.length)).toBe(lengthBytes);
  expect(lengthBytes).toBeLessThanOrEqual(body.sizeBytes);
  expect(body.parts.length).toBeLessThanOrEqual(RANGES_MAX);
  const ends = body.parts.toSorted((one, other) => one.start - other.start);
  for (const [index, { start, end }] of ends.entries()) {
    expect(start < end && end <= body.sizeBytes).toBe(true);
    expect(start).toBeGreaterThanOrEqual(ends[index - 1]?.end ?? 0);
  }
}

test('whatever is asked for, the answer is whole, adds up and can be sent', () => {
  const roll = dice(1);
  const listed = { path: 'a.js', digest: digestOf(Buffer.from(TEXT)), sizeBytes: TEXT.length };
  const file = { ...listed, contentType: 'text/javascript' };
  const known = { variants: FORMS, absent: new Set<never>(), from: 'a test' };
  const release = compileRelease(listed.digest, [file], known);
  const compiled = release.files.get('a.js');
  if (compiled === undefined) throw new Error('no file');
  const modifiedS = Date.parse(DATE) / 1000;
  const options = {
    ...{ modifiedS, lastModified: DATE, immutableAssets: true },
    mimeTypes: new Map<string, string>(),
  };
  const statuses = new Set<number>();
  const kinds = new Set<string>();
  for (let round = 0; round < ROUNDS; round += 1) {
    const headers = drawHeaders(roll);
    const request = { path: '/a.js', host: 'a.test', headers, secure: true };
    const got = fileResponse({ ...request, method: 'GET' }, compiled, options);
    checkBody(got);
    statuses.add(got.status);
    kinds.add(got.body.kind);
    for (const [name, value] of got.headers) {
      expect(name).toMatch(/^[a-z-]+$/u);
      expect(value).toMatch(/^[\u0020-\u007e]+$/u);
    }
    expect(new Set(got.headers.map(([name]) => name)).size).toBe(got.headers.length);
    const head = fileResponse({ ...request, method: 'HEAD' }, compiled, options);
    if (headers['range'] === undefined) expect(head).toEqual(got);
    else expect([200, 304, 406, 412]).toContain(head.status);
  }
  expect([...kinds].toSorted()).toEqual(['blob', 'none', 'parts', 'text']);
  expect(statuses).toEqual(new Set([200, 206, 304, 406, 412, 416]));
});
