import type { Digest } from '../../runtime/digest.ts';

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
  // A Map keeps the order of insertion: what was used last is moved to the end.
  const files = new Map<Digest, Uint8Array>();
  let usedBytes = 0;

  function remove(digest: Digest): void {
    usedBytes -= files.get(digest)?.length ?? 0;
    files.delete(digest);
  }

  return {
    limits,
    usedBytes: () => usedBytes,
    get(digest) {
      const bytes = files.get(digest);
      if (bytes === undefined) return undefined;
      files.delete(digest);
      files.set(digest, bytes);
      return bytes;
    },
    put(digest, bytes) {
      if (bytes.length > Math.min(limits.fileBytesMax, limits.budgetBytes)) return;
      remove(digest);
      files.set(digest, bytes);
      usedBytes += bytes.length;
      for (const oldest of files.keys()) {
        if (usedBytes <= limits.budgetBytes) return;
        remove(oldest);
      }
    },
  };
}
