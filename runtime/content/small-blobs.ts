import { type Digest, isDigest } from './digest.ts';

/** What counts as small: most files of a site do. */
export const SMALL_BLOB_BYTES_MAX = 256 * 1024;
/** Of one question for several, all blobs together… */
export const BATCH_BYTES_MAX = 512 * 1024;
/** …and how many. */
export const BATCH_BLOBS_MAX = 128;
/** Of an answer over HTTP: `encodeHeads`. */
export const HEADS_HEADER = 'b8s-blobs';
/** As text: each digest on a line of its own. */
export const BATCH_QUESTION_BYTES_MAX = BATCH_BLOBS_MAX * 80;

/**
 * What a source says to a question for several blobs, one for each: its size in bytes, in the order
 * in which they were asked for and their bytes follow one another; or why it does not come, as a
 * word: `NOT_FOUND`, `PERMISSION_DENIED`, `TOO_LARGE` for what does not fit any more, or `NOT_YET` of an
 * edge that is about to get it itself.
 */
export type SmallBlobHead = number | string;

export const NOT_YET = 'NOT_YET';

export interface SmallBlobs {
  readonly heads: readonly SmallBlobHead[];
  /** The bytes of all that come, one behind the other, in pieces of any size. */
  readonly pieces: AsyncIterable<Uint8Array>;
}

export function encodeQuestion(digests: readonly Digest[]): string {
  return digests.join('\n');
}

/** Undefined: it is none. */
export function parseQuestion(bytes: Uint8Array): readonly Digest[] | undefined {
  const digests = Buffer.from(bytes).toString('latin1').split('\n');
  return digests.length <= BATCH_BLOBS_MAX && digests.every(isDigest) ? digests : undefined;
}

export function encodeHeads(heads: readonly SmallBlobHead[]): string {
  return heads.join(',');
}

/** Undefined: it is no answer to a question for so many. */
export function parseHeads(text: string, count: number): readonly SmallBlobHead[] | undefined {
  const heads = text.split(',').map((head) => (/^\d{1,7}$/u.test(head) ? Number(head) : head));
  const isSound = heads.every((head) => typeof head === 'number' || /^[A-Z_]{1,40}$/u.test(head));
  return heads.length === count && isSound ? heads : undefined;
}

/** The bytes of each in turn: cuts what comes as one stream. */
export class BatchReader {
  readonly #memory: Uint8Array;
  #usedBytes = 0;
  #readBytes = 0;

  /** `memory` has room for all that is wanted. */
  constructor(memory: Uint8Array) {
    this.#memory = memory;
  }

  /** Throws a RangeError for more than there is room for. */
  add(piece: Uint8Array): void {
    this.#memory.set(piece, this.#usedBytes);
    this.#usedBytes += piece.byteLength;
  }

  /** The next so many bytes; undefined: they are not all there yet. */
  take(sizeBytes: number): Uint8Array | undefined {
    const end = this.#readBytes + sizeBytes;
    if (end > this.#usedBytes) return undefined;
    const bytes = this.#memory.subarray(this.#readBytes, end);
    this.#readBytes = end;
    return bytes;
  }
}
