import { describe, expect, test } from 'vitest';
import type { Digest } from './digest.ts';
import { MANIFEST_FILES_MAX } from './manifest.ts';
import { encodeVariants, parseVariants, type Variants, VariantsError } from './variants.ts';

const hex = (digit: string) => digit.repeat(64);
const digest = (digit: string): Digest => `sha256-${hex(digit)}`;

const SOME: Variants = new Map([
  [
    digest('b'),
    [
      { coding: 'gzip', digest: digest('3'), sizeBytes: 30 },
      { coding: 'br', digest: digest('1'), sizeBytes: 10 },
      { coding: 'zstd', digest: digest('2'), sizeBytes: 20 },
    ],
  ],
  [digest('a'), []],
]);
const TEXT = [
  'b8s-variants 1',
  hex('a'),
  `${hex('b')} br:${hex('1')}:10 zstd:${hex('2')}:20 gzip:${hex('3')}:30`,
  '',
].join('\n');

test('an index is one canonical text, and reads as what it was made of', () => {
  expect(Buffer.from(encodeVariants(SOME)).toString()).toBe(TEXT);
  const read = parseVariants(Buffer.from(TEXT));
  expect([...read.keys()]).toEqual([digest('a'), digest('b')]);
  expect(read.get(digest('b'))?.map(({ coding }) => coding)).toEqual(['br', 'zstd', 'gzip']);
  expect(encodeVariants(read)).toEqual(encodeVariants(SOME));
  expect(Buffer.from(encodeVariants(new Map())).toString()).toBe('b8s-variants 1\n');
});

describe('refused is', () => {
  test.each([
    { when: 'nothing at all', text: '', why: 'line 1: is not "b8s-variants 1"' },
    { when: 'another format', text: 'b8s-variants 2\n', why: 'line 1: is not "b8s-variants 1"' },
    { when: 'a manifest', text: 'b8s-release 1\n', why: 'line 1' },
    { when: 'a cut line', text: TEXT.slice(0, -1), why: 'line 3: is not ended' },
    { when: 'an empty line', text: `b8s-variants 1\n\n`, why: 'line 2: does not name a file' },
    { when: 'a short digest', text: `b8s-variants 1\nabc\n`, why: 'line 2: does not name' },
    { when: 'a large digit', text: `b8s-variants 1\n${hex('A')}\n`, why: 'line 2: does not' },
    { when: 'disorder', text: `b8s-variants 1\n${hex('b')}\n${hex('a')}\n`, why: 'line 3: is out' },
    { when: 'a file twice', text: `b8s-variants 1\n${hex('b')}\n${hex('b')}\n`, why: 'line 3' },
    { when: 'a space at the end', text: `b8s-variants 1\n${hex('b')} \n`, why: 'line 2: is not' },
    { when: 'a carriage return', text: `b8s-variants 1\r\n`, why: 'line 1: is not' },
    { when: 'a coding of tomorrow', text: form(`lz:${hex('1')}:1`), why: 'line 2: is not' },
    { when: 'a form of no bytes', text: form(`br:${hex('1')}:0`), why: 'line 2: is not' },
    { when: 'a leading zero', text: form(`br:${hex('1')}:01`), why: 'line 2: is not' },
    { when: 'a size beyond numbers', text: form(`br:${hex('1')}:9007199254740993`), why: 'line 2' },
    {
      when: 'codings in another order',
      text: form(`gzip:${hex('1')}:1 br:${hex('1')}:1`),
      why: 'line 2: "br" is out of order',
    },
    {
      when: 'a coding twice',
      text: form(`br:${hex('1')}:1 br:${hex('2')}:1`),
      why: 'line 2: "br" is out of order',
    },
    {
      when: 'a thousand codings',
      text: form(`br:${hex('1')}:1 `.repeat(1000)),
      why: 'line 2: "br" is out of order',
    },
    {
      when: 'more files than a release may have',
      text: `b8s-variants 1\n${'\n'.repeat(MANIFEST_FILES_MAX + 1)}`,
      why: `more than ${MANIFEST_FILES_MAX}`,
    },
    { when: 'bytes that are no text', text: '\u0000\u00ff', why: 'line 1' },
  ])('$when', ({ text, why }) => {
    expect(() => parseVariants(Buffer.from(text, 'latin1'))).toThrow(VariantsError);
    expect(() => parseVariants(Buffer.from(text, 'latin1'))).toThrow(why);
  });

  test('what could not be read is not written', () => {
    const wrong: Variants = new Map([
      [digest('a'), [{ coding: 'br', digest: digest('1'), sizeBytes: 0 }]],
    ]);
    expect(() => encodeVariants(wrong)).toThrow(VariantsError);
  });
});

function form(forms: string): string {
  return `b8s-variants 1\n${hex('a')} ${forms}\n`;
}
