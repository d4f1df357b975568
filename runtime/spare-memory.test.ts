import { expect, test } from 'vitest';
import { freeNow, SpareMemory } from './spare-memory.ts';

test('memory that was given back is used again, as much of it as is kept', () => {
  const memory = new SpareMemory({ sizeBytes: 10, spareMax: 1 });
  const [one, other] = [memory.take(), memory.take()];
  memory.giveBack(one);
  memory.giveBack(other);
  expect(memory.take()).toBe(one);
  expect(memory.take()).not.toBe(other);
});

test('what is freed is gone, and what is part of something larger stays', () => {
  const all = Buffer.from(new Uint8Array(100_000));
  freeNow(all.subarray(10));
  expect(all.length).toBe(100_000);
  freeNow(all);
  expect(all.length).toBe(0);
  // As a second time nothing is there to be freed.
  freeNow(all);
});
