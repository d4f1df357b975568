import { expect, test } from 'vitest';
import { inWords, isDiskFull } from './disk-full.ts';

const PATH = `/var/lib/b8s/sub/blobs/sha256/ab/${'ab'.repeat(32)}`;

test.each([
  {
    why: `write ${PATH}: ENOSPC: no space left on device, write`,
    sizeBytes: 8_000_000,
    words: 'its disk is full: no space left for 7.6MiB; make room, and it goes on by itself',
  },
  {
    why: 'write x: no space left on device',
    sizeBytes: undefined,
    words: 'its disk is full: no space left; make room, and it goes on by itself',
  },
  { why: 'fetch: not a byte', sizeBytes: 5, words: 'fetch: not a byte' },
])('$why', ({ why, sizeBytes, words }) => {
  expect(inWords(why, sizeBytes)).toBe(words);
  expect(isDiskFull(inWords(why, sizeBytes))).toBe(isDiskFull(why));
});
