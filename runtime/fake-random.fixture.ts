import { createHash } from 'node:crypto';
import type { Random } from './random.ts';

/** Numbers that look random and are the same in every run. */
export function countedRandom(seed: number): Random {
  let count = 0;
  function draw(): Buffer {
    count += 1;
    return createHash('sha256').update(`${seed} ${count}`).digest();
  }
  return {
    next: () => draw().readUInt32BE(0) / 2 ** 32,
    bytes(size) {
      const blocks = Array.from({ length: Math.ceil(size / 32) }, draw);
      return Buffer.concat(blocks).subarray(0, size);
    },
  };
}
