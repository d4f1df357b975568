import type { FuzzTarget } from './guided.fixture.ts';

/** Found only step by step: each right byte is a branch of its own. */
export function lock(key: Buffer): FuzzTarget {
  const check = (input: Buffer): void => {
    if (input[0] === key[0]) {
      if (input[1] === key[1]) {
        if (input[2] === key[2]) throw new Error('open');
      }
    }
  };
  return { name: 'lock', seeds: [Buffer.alloc(4)], words: [], bytesMax: 8, check };
}
