import { expect, test } from 'vitest';
import type { SeededRandom } from '../engine/random.ts';
import { Latency } from './latency.ts';

test.each([
  { what: 'in calm weather nothing is later than a second', meanMs: 1, ms: 1_000 },
  { what: 'in bad weather what is lost comes again after three', meanMs: 20, ms: 3_000 },
])('$what', ({ meanMs, ms }) => {
  // One crossing in ten millions.
  const unlucky = { next: () => 1 - 1e-7 } as SeededRandom;
  expect(new Latency(unlucky, () => undefined).tailMs(meanMs)).toBe(ms);
});
