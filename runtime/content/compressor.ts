import type { ContentCoding } from './content-coding.ts';

/**
 * Compresses whole files, as a port.
 *
 * Guarantees: the same bytes give the same result each time; what it gives is one member of the
 * coding that any client of it can decode (RFC 9110 §8.4.1), whatever the bytes are.
 * Caveats: the result may be larger than what it was made of. It takes its time, off the thread of
 * the caller, and few at once: further calls wait.
 * Errors: throws a RangeError for more than `COMPRESSED_TO_BYTES`.
 */
export interface Compressor {
  compress(coding: ContentCoding, bytes: Uint8Array): Promise<Uint8Array>;
}
