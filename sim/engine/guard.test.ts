import { expect, test } from 'vitest';
import { guarded } from './guard.ts';

test.each([
  { name: 'Date.now', use: () => Date.now() },
  { name: 'new Date()', use: () => new Date() },
  { name: 'Math.random', use: () => Math.random() },
  { name: 'setTimeout', use: () => setTimeout(() => undefined, 1) },
  { name: 'setImmediate', use: () => setImmediate(() => undefined) },
  { name: 'crypto.randomUUID', use: () => crypto.randomUUID() },
])('$name throws inside a world, with the place, and works again after it', async ({ use }) => {
  await expect(guarded(async () => use())).rejects.toThrow(/in a simulated world .*guard\.test/);
  expect(() => use()).not.toThrow();
});

test('a date with an argument is a calculation', async () => {
  const date = await guarded(async () => new Date(0));
  expect(date.toISOString()).toBe('1970-01-01T00:00:00.000Z');
  expect(date).toBeInstanceOf(Date);
});
