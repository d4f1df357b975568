import type { Digest } from '../../runtime/digest.ts';
import { RecentMap } from '../../runtime/recent-map.ts';

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

/** Keeps whole small files in memory, by digest; the least recently used one goes first. */
export interface MemoryCache {
  readonly limits: MemoryCacheLimits;
  get(digest: Digest): Uint8Array | undefined;
  /** Does nothing with a file over `fileBytesMax`. */
  put(digest: Digest, bytes: Uint8Array): void;
  /** Never over `budgetBytes`. */
  usedBytes(): number;
}

export function createMemoryCache(limits: MemoryCacheLimits = MEMORY_CACHE_LIMITS): MemoryCache {
  const files = new RecentMap<Digest, Uint8Array>();
  let usedBytes = 0;
  return {
    limits,
    usedBytes: () => usedBytes,
    get: (digest) => files.get(digest),
    put(digest, bytes) {
      if (bytes.length > Math.min(limits.fileBytesMax, limits.budgetBytes)) return;
      usedBytes += bytes.length - (files.set(digest, bytes)?.length ?? 0);
      while (usedBytes > limits.budgetBytes) usedBytes -= files.takeOldest()?.length ?? usedBytes;
    },
  };
}
