import { expect, test } from 'vitest';
import { takeSlots } from './slots.ts';

test('no more than the bound run at a time, in the order given, whatever becomes of them', async () => {
  const inSlot = takeSlots(2);
  const begun: number[] = [];
  const gates = Array.from({ length: 4 }, () => Promise.withResolvers<void>());
  const tasks = gates.map(({ promise }, index) =>
    inSlot(async () => {
      begun.push(index);
      await promise;
      return index;
    }),
  );
  const outcomes = Promise.allSettled(tasks);
  expect(begun).toEqual([0, 1]);
  gates[1]?.reject(new Error('failed'));
  await expect(tasks[1]).rejects.toThrow('failed');
  await Promise.resolve();
  expect(begun).toEqual([0, 1, 2]);
  for (const gate of gates) gate.resolve();
  expect((await outcomes).map(({ status }) => status)).toEqual([
    'fulfilled',
    'rejected',
    'fulfilled',
    'fulfilled',
  ]);
  expect(begun).toEqual([0, 1, 2, 3]);
});
