import { expect, test } from 'vitest';
import { isWithin, nameText, parentOf, parseName, ROOT, readName } from './name.ts';

test.each([
  { when: 'plain', text: 'www.example.com', key: '\x03www\x07example\x03com' },
  { when: 'with a final dot', text: 'example.com.', key: '\x07example\x03com' },
  { when: 'in upper case', text: 'EXAMPLE.Com', key: '\x07example\x03com' },
  { when: 'the root', text: '.', key: '' },
  { when: 'with an escaped dot', text: 'a\\.b.c', key: '\x03a.b\x01c' },
  { when: 'with a byte by number', text: 'a\\255', key: '\x02a\xff' },
  { when: 'a wildcard', text: '*.example', key: '\x01*\x07example' },
  { when: 'of a label of 63', text: 'a'.repeat(63), key: `\x3f${'a'.repeat(63)}` },
  { when: 'of a label of 64', text: 'a'.repeat(64), key: undefined },
  { when: 'of 255 bytes', text: `${'a.'.repeat(126)}a`, key: '\x01a'.repeat(127) },
  { when: 'of 257 bytes', text: `${'a.'.repeat(127)}a`, key: undefined },
  { when: 'empty', text: '', key: undefined },
  { when: 'with an empty label', text: 'a..b', key: undefined },
  { when: 'with a leading dot', text: '.a', key: undefined },
  { when: 'with a space', text: 'a b', key: undefined },
  { when: 'with a letter outside ASCII', text: 'bücher.example', key: undefined },
  { when: 'with a byte above 255', text: 'a\\256', key: undefined },
  { when: 'with an escape cut off', text: 'a\\', key: undefined },
])('a name $when', ({ text, key }) => {
  expect(parseName(text)).toBe(key);
});

test.each(['www.example.com', 'a\\.b.c', 'a\\255\\000', '.', '*.example', 'back\\\\slash'])(
  '%s survives the way there and back',
  (text) => {
    expect(nameText(parseName(text) ?? ROOT)).toBe(text);
  },
);

test('only ASCII letters fold, and length bytes never do', () => {
  const label = Buffer.from('\x3fÀ', 'latin1');
  const wire = Buffer.concat([label, Buffer.alloc(62, 'A'), Buffer.of(0)]);
  expect(readName(wire, 0)).toEqual({ key: `\x3fÀ${'a'.repeat(62)}`, end: 65 });
});

test('ancestry goes by labels, not by bytes that look alike', () => {
  const example = parseName('com') ?? ROOT;
  const tricky = parseName('a\\003com') ?? ROOT;
  expect(tricky.endsWith(example)).toBe(true);
  expect(isWithin(tricky, example)).toBe(false);
  expect(isWithin(example, example)).toBe(true);
  expect(isWithin(parseName('www.example.com') ?? ROOT, example)).toBe(true);
  expect(parentOf(ROOT)).toBe(ROOT);
});
