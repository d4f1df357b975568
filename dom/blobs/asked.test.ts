import { expect, test } from 'vitest';
import { ASKED_MAX, Asked } from './asked.ts';

test('what somebody asked about stays until it was taken note of', async () => {
  const asked = new Asked();
  const removed: string[] = [];
  const remove = (digest: string) =>
    asked.unlessAsked(digest, async () => void removed.push(digest));
  await asked.about('a');
  expect(await remove('a')).toBe('asked');
  expect(await remove('b')).toBe('discarded');
  expect(asked.take()).toEqual(new Set(['a']));
  expect(asked.take()).toEqual(new Set());
  expect(await remove('a')).toBe('discarded');
  expect(removed).toEqual(['b', 'a']);
});

test('who asks while it is being removed is answered after that', async () => {
  const asked = new Asked();
  const over = Promise.withResolvers<void>();
  const removal = asked.unlessAsked('a', () => over.promise);
  const told: string[] = [];
  const question = asked.about('a').then(() => told.push('answered'));
  await asked.about('b');
  expect(told).toEqual([]);
  over.resolve();
  await Promise.all([removal, question]);
  expect(told).toEqual(['answered']);
  expect(asked.take()).toEqual(new Set(['a', 'b']));
});

test('a removal that failed holds nobody up', async () => {
  const asked = new Asked();
  const removal = asked.unlessAsked('a', () => Promise.reject(new Error('input/output error')));
  const question = asked.about('a');
  await expect(removal).rejects.toThrow('input/output');
  await question;
});

test('of too many nothing is removed, and memory does not grow', async () => {
  const asked = new Asked();
  for (let index = 0; index < ASKED_MAX; index += 1) void asked.about(`${index}`);
  expect(await asked.unlessAsked('other', () => Promise.resolve())).toBe('discarded');
  await asked.about('one more');
  expect(await asked.unlessAsked('other', () => Promise.resolve())).toBe('asked');
  expect(asked.take()).toBe('all');
  expect(await asked.unlessAsked('other', () => Promise.resolve())).toBe('discarded');
});
