import { expect, test } from 'vitest';
import { jsonPatch, parseOperations } from './json-patch.ts';

/** Of RFC 6902 appendix A, and what it says of errors. */
test.each([
  {
    when: 'A.1 a member',
    op: { op: 'add', path: '/b', value: 'q' },
    to: { a: ['x', 'y'], b: 'q' },
  },
  {
    when: 'A.2 an element',
    op: { op: 'add', path: '/a/1', value: 'q' },
    to: { a: ['x', 'q', 'y'] },
  },
  {
    when: 'A.16 at the end',
    op: { op: 'add', path: '/a/-', value: 'q' },
    to: { a: ['x', 'y', 'q'] },
  },
  {
    when: 'at the index after',
    op: { op: 'add', path: '/a/2', value: 'q' },
    to: { a: ['x', 'y', 'q'] },
  },
  { when: 'A.3 remove', op: { op: 'remove', path: '/a' }, to: {} },
  { when: 'A.4 remove an element', op: { op: 'remove', path: '/a/0' }, to: { a: ['y'] } },
  { when: 'A.5 replace', op: { op: 'replace', path: '/a/1', value: 0 }, to: { a: ['x', 0] } },
  { when: 'A.6 move', op: { op: 'move', from: '/a/0', path: '/b' }, to: { a: ['y'], b: 'x' } },
  {
    when: 'A.7 move in a list',
    op: { op: 'move', from: '/a/0', path: '/a/1' },
    to: { a: ['y', 'x'] },
  },
  { when: 'copy', op: { op: 'copy', from: '/a/0', path: '/a/-' }, to: { a: ['x', 'y', 'x'] } },
  { when: 'A.8 a test', op: { op: 'test', path: '/a/1', value: 'y' }, to: { a: ['x', 'y'] } },
  {
    when: 'A.14 an escaped name',
    op: { op: 'add', path: '/~01', value: 1 },
    to: { a: ['x', 'y'], '~1': 1 },
  },
])('$when', ({ op, to }) => {
  expect(jsonPatch({ a: ['x', 'y'] }, parseOperations([op]))).toEqual(to);
});

test.each([
  {
    when: 'A.9 a failed test',
    op: { op: 'test', path: '/a/1', value: 'x' },
    says: /test of \/a\/1 failed/,
  },
  { when: 'A.12 no parent', op: { op: 'add', path: '/b/c', value: 1 }, says: /nothing at/ },
  { when: 'an index too far', op: { op: 'add', path: '/a/3', value: 1 }, says: /nothing at/ },
  { when: 'a leading zero', op: { op: 'remove', path: '/a/00' }, says: /nothing at/ },
  {
    when: 'replace of what is not there',
    op: { op: 'replace', path: '/b', value: 1 },
    says: /nothing at/,
  },
  {
    when: 'no such operation',
    op: { op: 'set', path: '/a' },
    says: /patch\[0\]\.op must be one of add/,
  },
  { when: 'no value', op: { op: 'add', path: '/a' }, says: /patch\[0\] \(add\) needs a value/ },
  {
    when: 'no pointer',
    op: { op: 'remove', path: 'a' },
    says: /patch\[0\]\.path must be a JSON Pointer/,
  },
])('refuses $when', ({ op, says }) => {
  expect(() => jsonPatch({ a: ['x', 'y'] }, parseOperations([op]))).toThrow(says);
});

test('a field called __proto__ is a field', () => {
  const patched = jsonPatch(
    {},
    parseOperations([{ op: 'add', path: '/__proto__', value: { x: 1 } }]),
  );
  expect(JSON.stringify(patched)).toBe('{"__proto__":{"x":1}}');
  expect((patched as { x?: number }).x).toBeUndefined();
});
