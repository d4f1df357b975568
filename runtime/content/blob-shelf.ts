import type { Digest } from './digest.ts';

/**
 * Dom's blobs, as a port for controllers: content by digest.
 *
 * Guarantees: what is read is what the digest says; what was put is durable. What was put, or was
 * found here by `sizeOf`, is not cleared away before its grace has passed anew.
 * Errors: NOT_FOUND (a `RequestError`) for a blob that is not there, or has rotted.
 */
export interface BlobShelf {
  /** In bytes; undefined: it is not here. */
  sizeOf(digest: string): Promise<number | undefined>;
  /** The whole blob, for small ones. */
  read(digest: string): Promise<Uint8Array>;
  put(digest: string, chunks: AsyncIterable<Uint8Array>): Promise<void>;
}

/**
 * The same blobs, for who clears away what nothing names.
 *
 * Guarantees: whoever asked about a blob is told the truth: one that `discard` is about to remove is
 * missing, and one that was found here since the last `takeAsked` is not removed.
 */
export interface BlobStock {
  /** Blobs are kept in so many parts, by their digests: from 0 on. */
  readonly parts: number;
  /** The blobs of one part, sorted. */
  list(part: number): Promise<readonly Digest[]>;
  /** The bytes of a short blob. It does not count as asking. */
  look(digest: string, sizeBytesMax: number): Promise<Uint8Array | 'missing' | 'too long'>;
  /** What was put or asked about since the last call; `all`: too many to know them. */
  takeAsked(): ReadonlySet<string> | 'all';
  /** Removes a blob; `asked`: it stays, for somebody put it or asked about it meanwhile. */
  discard(digest: Digest): Promise<'discarded' | 'asked'>;
}
