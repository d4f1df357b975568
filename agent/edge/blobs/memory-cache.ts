import type { Digest } from '../../../runtime/content/digest.ts';
import { RecentMap } from '../../../runtime/recent-map.ts';
import { Popularity } from './popularity.ts';

export interface MemoryCacheLimits {
  /** For the bytes of all files together. */
  readonly budgetBytes: number;
  /** Larger files are streamed from disk. */
  readonly fileBytesMax: number;
}

export const MEMORY_CACHE_LIMITS: MemoryCacheLimits = {
  budgetBytes: 32 * 1024 * 1024,
  fileBytesMax: 256 * 1024,
};

/**
 * Keeps whole small files in memory, by digest. Once it is full, a file takes the place of those that
 * were not asked for the longest only where it is asked for more often than they are: whoever looks
 * at everything once, as crawlers do, pushes out nothing; and what is read for one answer alone
 * leaves memory at once (Einziger, Friedman and Manes, "TinyLFU: A Highly Efficient Cache Admission
 * Policy", 2017). Kept, read and thrown away again, each such file cost more than reading it.
 */
export interface MemoryCache {
  readonly limits: MemoryCacheLimits;
  /** Counts as asking for it, also where it is not there. */
  get(digest: Digest): Uint8Array | undefined;
  /**
   * Keeps it if it is worth it. Does nothing with a file over `fileBytesMax`. `lent`: the memory is
   * used again, what is kept is a copy.
   */
  put(digest: Digest, bytes: Uint8Array, memory?: 'own' | 'lent'): void;
  /** Never over `budgetBytes`. */
  usedBytes(): number;
}

/** Requests by which a file must be ahead: chance alone makes a difference of one. */
const MORE = 2;
/** What was asked for before so many requests counts half. */
const AGING_PER_FILE = 10;
const AGING_MIN = 10_000;

export function createMemoryCache(limits: MemoryCacheLimits = MEMORY_CACHE_LIMITS): MemoryCache {
  const files = new RecentMap<Digest, Uint8Array>();
  const popularity = new Popularity();
  let usedBytes = 0;

  /** False: what is there is worth more. */
  function makeRoom(digest: Digest, bytes: number): boolean {
    while (usedBytes + bytes > limits.budgetBytes) {
      const oldest = files.oldest();
      if (oldest === undefined || popularity.of(digest) < popularity.of(oldest) + MORE)
        return false;
      usedBytes -= files.takeOldest()?.length ?? 0;
    }
    return true;
  }

  return {
    limits,
    usedBytes: () => usedBytes,
    get(digest) {
      popularity.note(digest, Math.max(AGING_MIN, AGING_PER_FILE * files.size));
      return files.get(digest);
    },
    put(digest, bytes, memory = 'own') {
      if (bytes.length > Math.min(limits.fileBytesMax, limits.budgetBytes)) return;
      if (!makeRoom(digest, bytes.length)) return;
      const kept = memory === 'own' ? bytes : copyOf(bytes);
      usedBytes += bytes.length - (files.set(digest, kept)?.length ?? 0);
    },
  };
}

/** In memory of its own: a piece of a larger one would keep all of that. */
function copyOf(bytes: Uint8Array): Uint8Array {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}
