import type { Digest } from './digest.ts';
import type { SmallBlobs } from './small-blobs.ts';

/** The source has the blob, and it ends before the offset that was asked for. */
export class BlobOffsetError extends Error {
  override readonly name = 'BlobOffsetError';
}

/**
 * Where blobs come from, as a port: dom, over the node's own connection.
 *
 * Assumptions: the caller verifies the digest; nothing here does.
 * Errors: what is unknown at the source, a cut stream, and the signal's reason are thrown from the
 * iteration; a `BlobOffsetError` where the blob ends before the offset.
 */
export interface BlobSource {
  /** The blob's bytes from `offsetBytes` to its end, in pieces of any size. */
  fetch(digest: Digest, offsetBytes: number, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /**
   * Several small blobs with one question, BATCH_BLOBS_MAX and BATCH_BYTES_MAX at most. `unknown`: the
   * source is too old for it, so they are to be asked for one by one. Left out: it always is.
   */
  fetchSmall?(digests: readonly Digest[], signal: AbortSignal): Promise<SmallBlobs | 'unknown'>;
}
