/**
 * Dom's blobs, as a port for controllers: content by digest.
 *
 * Guarantees: what is read is what the digest says; what was put is durable.
 * Errors: NOT_FOUND (a `RequestError`) for a blob that is not there, or has rotted.
 */
export interface BlobShelf {
  /** In bytes; undefined: it is not here. */
  sizeOf(digest: string): Promise<number | undefined>;
  /** The whole blob, for small ones. */
  read(digest: string): Promise<Uint8Array>;
  put(digest: string, chunks: AsyncIterable<Uint8Array>): Promise<void>;
}
