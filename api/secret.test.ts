import { expect, test } from 'vitest';
import { validateObject } from './validate.ts';

test.each([
  { when: 'it is a number', spec: { data: { pin: 12_345_678 } }, hidden: '12345678' },
  { when: 'it is true or false', spec: { data: { pin: true } }, hidden: 'true:' },
  { when: 'it is a group', spec: { data: { pin: { is: 'hunter2' } } }, hidden: 'hunter2' },
  { when: 'it is a list', spec: { data: { pin: ['hunter2'] } }, hidden: 'hunter2' },
  { when: 'it is too long', spec: { data: { pin: 'hunter2'.repeat(20_000) } }, hidden: 'hunter2' },
  { when: 'there is no name for it', spec: { data: 'hunter2' }, hidden: 'hunter2' },
  { when: 'it stands in place of all', spec: 'hunter2', hidden: 'hunter2' },
  { when: 'it is under another field', spec: { text: { pin: 'hunter2' } }, hidden: 'hunter2' },
])('a message about a Secret never repeats a value: $when', ({ spec, hidden }) => {
  const metadata = { name: 'token', namespace: 'default' };
  const judged = validateObject({ apiVersion: 'b8s.dev/v1', kind: 'Secret', metadata, spec });
  if (judged.kind !== 'invalid') throw new Error('it is valid');
  expect(judged.violations).not.toEqual([]);
  expect(JSON.stringify(judged.violations)).not.toContain(hidden);
});
