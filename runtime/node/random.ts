import { randomBytes } from 'node:crypto';
import type { Random } from '../random.ts';

/** The operating system's randomness. */
export function systemRandom(): Random {
  return {
    next: () => Math.random(),
    bytes: (count) => randomBytes(count),
  };
}
