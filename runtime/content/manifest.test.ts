import { expect, test } from 'vitest';
import { digestOf, isDigest } from './digest.ts';
import {
  encodeManifest,
  MANIFEST_FILES_MAX,
  parseManifest,
  type ReleaseFile,
  releaseDigest,
} from './manifest.ts';

const HEX = 'ab'.repeat(32);

function file(path: string, overrides: Partial<ReleaseFile> = {}): ReleaseFile {
  return { path, digest: `sha256-${HEX}`, sizeBytes: 5, contentType: 'text/plain', ...overrides };
}

function text(...lines: readonly string[]): Uint8Array {
  return Buffer.from(`${lines.join('\n')}\n`);
}

test('a release without files is its first line', () => {
  expect(Buffer.from(encodeManifest([])).toString()).toBe('b8s-release 1\n');
  expect(parseManifest(encodeManifest([]))).toEqual([]);
});

test('files are written sorted by the bytes of their paths, and read back the same', () => {
  // UTF-16 order would put U+1F600 (a surrogate pair) before U+FF5E; UTF-8 order does not.
  const paths = ['b', 'a/z', 'a b', 'a', '\u{1f600}', '\uff5e', 'é'];
  const bytes = encodeManifest(paths.map((path) => file(path)));
  expect(parseManifest(bytes).map(({ path }) => path)).toEqual([
    'a',
    'a b',
    'a/z',
    'b',
    'é',
    '\uff5e',
    '\u{1f600}',
  ]);
  expect(encodeManifest(parseManifest(bytes))).toEqual(bytes);
});

test('the order of the input does not change the digest; the content does', () => {
  const one = encodeManifest([file('a'), file('b')]);
  const other = encodeManifest([file('b'), file('a')]);
  expect(releaseDigest(one)).toBe(releaseDigest(other));
  expect(releaseDigest(one)).not.toBe(releaseDigest(encodeManifest([file('a')])));
  expect(isDigest(releaseDigest(one))).toBe(true);
  expect(releaseDigest(one)).toBe(digestOf(one));
});

test('sizes are numbers up to 2^53 - 1', () => {
  const [read] = parseManifest(encodeManifest([file('a', { sizeBytes: Number.MAX_SAFE_INTEGER })]));
  expect(read?.sizeBytes).toBe(9007199254740991);
});

const line = (path: string) => `${HEX} 5 text/plain ${path}`;

test.each([
  { when: 'the first line is another', lines: ['b8s-release 2'], message: /^line 1: is not/u },
  { when: 'a line is short', lines: ['b8s-release 1', HEX], message: /^line 2: is not "/u },
  { when: 'a line is empty', lines: ['b8s-release 1', ''], message: /^line 2: is not "/u },
  {
    when: 'hex is upper case',
    lines: ['b8s-release 1', `${HEX.toUpperCase()} 5 text/plain a`],
    message: /^line 2/u,
  },
  {
    when: 'a size has a leading zero',
    lines: ['b8s-release 1', `${HEX} 05 text/plain a`],
    message: /^line 2/u,
  },
  {
    when: 'a size is negative',
    lines: ['b8s-release 1', `${HEX} -5 text/plain a`],
    message: /^line 2/u,
  },
  {
    when: 'a size is 2^53',
    lines: ['b8s-release 1', `${HEX} 9007199254740992 text/plain a`],
    message: /is not a size/u,
  },
  {
    when: 'a content type has no slash',
    lines: ['b8s-release 1', `${HEX} 5 text a`],
    message: /^line 2/u,
  },
  {
    when: 'lines are unsorted',
    lines: ['b8s-release 1', line('b'), line('a')],
    message: /^line 3: "a" is out of order/u,
  },
  {
    when: 'a path is named twice',
    lines: ['b8s-release 1', line('a'), line('a')],
    message: /^line 3: "a" is named twice/u,
  },
  {
    when: 'a path climbs',
    lines: ['b8s-release 1', line('a/../b')],
    message: /^line 2: .* has a part "\.\."/u,
  },
  {
    when: 'a path has a dot part',
    lines: ['b8s-release 1', line('./b')],
    message: /has a part "\."/u,
  },
  {
    when: 'a path is absolute',
    lines: ['b8s-release 1', line('/etc/passwd')],
    message: /empty part/u,
  },
  { when: 'a path ends in a slash', lines: ['b8s-release 1', line('a/')], message: /empty part/u },
  { when: 'a path has a backslash', lines: ['b8s-release 1', line('a\\b')], message: /backslash/u },
  {
    when: 'a path has a carriage return',
    lines: ['b8s-release 1', line('a\r')],
    message: /control|is not/u,
  },
  { when: 'a path has a NUL', lines: ['b8s-release 1', line('a\0')], message: /control/u },
  {
    when: 'a path is not NFC',
    lines: ['b8s-release 1', line('e\u0301')],
    message: /normal form C/u,
  },
  {
    when: 'a path has 1025 bytes',
    lines: ['b8s-release 1', line('a'.repeat(1025))],
    message: /longer than 1024/u,
  },
])('parseManifest refuses when $when', ({ lines, message }) => {
  expect(() => parseManifest(text(...lines))).toThrow(message);
});

test('a path of 1024 bytes is taken', () => {
  expect(parseManifest(text('b8s-release 1', line('a'.repeat(1024))))).toHaveLength(1);
});

test('what is not ended or not UTF-8 is refused', () => {
  expect(() => parseManifest(Buffer.from('b8s-release 1'))).toThrow(/line 1: is not ended/u);
  expect(() => parseManifest(Buffer.alloc(0))).toThrow(/line 1: is not/u);
  expect(() => parseManifest(Buffer.from([0xff, 0x0a]))).toThrow(/not UTF-8/u);
  expect(() => parseManifest(Buffer.from('\ufeffb8s-release 1\n'))).toThrow(/^line 1/u);
});

test('encodeManifest refuses what could not be read back', () => {
  expect(() => encodeManifest([file('a', { contentType: 'text/plain; charset=utf-8' })])).toThrow();
  expect(() => encodeManifest([file('a', { sizeBytes: 1.5 })])).toThrow(/line 2/u);
  expect(() => encodeManifest([file('\ud800')])).toThrow();
  expect(() => encodeManifest([file('a\nb')])).toThrow();
});

test('one file more than the most is refused', () => {
  const lines = Array.from({ length: MANIFEST_FILES_MAX + 1 }, (_, index) =>
    line(String(index).padStart(6, '0')),
  );
  expect(parseManifest(text('b8s-release 1', ...lines.slice(1)))).toHaveLength(MANIFEST_FILES_MAX);
  expect(() => parseManifest(text('b8s-release 1', ...lines))).toThrow(/more than 100000 files/u);
});
