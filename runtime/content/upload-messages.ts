import type { UploadBlobRequest } from '../../proto/gen/b8s/v1/api.ts';
import { RequestError } from '../request-error.ts';
import { freeNow, type SpareMemory } from '../spare-memory.ts';

/**
 * The most bytes of a blob in one message, as they travel. Most files are one: each costs both sides
 * as much as some 50 KB.
 */
export const MESSAGE_BYTES_MAX = 256 * 1024;

/** A message of an upload; of one with `release`, the chunk is another's memory once that is called. */
export type UploadMessage = UploadBlobRequest & { readonly release?: () => void };

/**
 * UploadBlobRequests one behind the other, as they go by HTTP: before each chunk 56 bytes, with
 * numbers in big-endian order. All of the digest is zero in a message without one.
 *
 * | bytes | |
 * |---|---|
 * | 0 to 31 | SHA-256 of the blob |
 * | 32 to 39 | `size_bytes` |
 * | 40 to 47 | `offset_bytes` |
 * | 48 to 51 | `raw_bytes` |
 * | 52 to 55 | bytes of `chunk`, which follows |
 */
export function encodeMessage(message: UploadBlobRequest): Buffer {
  const { digest, sizeBytes, offsetBytes, rawBytes, chunk } = message;
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + chunk.length);
  bytes.fill(0, 0, DIGEST_BYTES);
  bytes.write(digest.slice(PREFIX.length), 0, DIGEST_BYTES, 'hex');
  bytes.writeBigUInt64BE(sizeBytes, 32);
  bytes.writeBigUInt64BE(offsetBytes, 40);
  bytes.writeUInt32BE(rawBytes, 48);
  bytes.writeUInt32BE(chunk.length, 52);
  bytes.set(chunk, HEAD_BYTES);
  return bytes;
}

/**
 * What `encodeMessage` made, out of pieces of any size, in memory that is used again.
 *
 * Guarantees: takes no memory before there is something to be read. Of messages that are not
 * released, as many as fit share one piece of `memory`. A piece is freed once it is read.
 * Errors: INVALID_ARGUMENT for a message that is too long, or is cut.
 */
export async function* readMessages(
  pieces: AsyncIterable<Uint8Array>,
  memory: SpareMemory,
): AsyncGenerator<UploadMessage> {
  const head = Buffer.alloc(HEAD_BYTES);
  let slab: Slab | undefined;
  /** Of the message that is being read, with its head. */
  let readBytes = 0;
  let chunk: Buffer = EMPTY;
  try {
    for await (const piece of pieces) {
      for (let at = 0; at < piece.byteLength; ) {
        if (readBytes < HEAD_BYTES) {
          const end = Math.min(piece.byteLength, at + HEAD_BYTES - readBytes);
          head.set(piece.subarray(at, end), readBytes);
          readBytes += end - at;
          at = end;
          if (readBytes < HEAD_BYTES) continue;
          const chunkBytes = chunkBytesOf(head);
          if (slab === undefined || slab.roomBytes < chunkBytes) {
            slab?.release();
            slab = new Slab(memory);
          }
          chunk = slab.take(chunkBytes);
        }
        const from = readBytes - HEAD_BYTES;
        const end = Math.min(piece.byteLength, at + chunk.length - from);
        chunk.set(piece.subarray(at, end), from);
        readBytes += end - at;
        at = end;
        if (readBytes < HEAD_BYTES + chunk.length || slab === undefined) continue;
        readBytes = 0;
        yield { ...messageOf(head), chunk, release: slab.use() };
      }
      freeNow(piece);
    }
    if (readBytes > 0) throw new RequestError('INVALID_ARGUMENT', 'the upload ended in a message');
  } finally {
    slab?.release();
  }
}

const PREFIX = 'sha256-';
const DIGEST_BYTES = 32;
const HEAD_BYTES = 56;
const EMPTY = Buffer.alloc(0);
const NO_DIGEST = '0'.repeat(2 * DIGEST_BYTES);

function chunkBytesOf(head: Buffer): number {
  const chunkBytes = head.readUInt32BE(52);
  if (chunkBytes <= MESSAGE_BYTES_MAX) return chunkBytes;
  throw new RequestError('INVALID_ARGUMENT', `a message has at most ${MESSAGE_BYTES_MAX} bytes`);
}

function messageOf(head: Buffer): Omit<UploadBlobRequest, 'chunk'> {
  const hex = head.toString('hex', 0, DIGEST_BYTES);
  return {
    digest: hex === NO_DIGEST ? '' : `${PREFIX}${hex}`,
    sizeBytes: head.readBigUInt64BE(32),
    offsetBytes: head.readBigUInt64BE(40),
    rawBytes: head.readUInt32BE(48),
  };
}

/** Memory for chunks one behind the other: it goes back once its maker and all users let go of it. */
class Slab {
  readonly #memory: SpareMemory;
  readonly #bytes: Buffer;
  #usedBytes = 0;
  #users = 1;

  constructor(memory: SpareMemory) {
    this.#memory = memory;
    const { buffer, byteOffset, byteLength } = memory.take();
    this.#bytes = Buffer.from(buffer, byteOffset, byteLength);
  }

  get roomBytes(): number {
    return this.#bytes.length - this.#usedBytes;
  }

  take(sizeBytes: number): Buffer {
    this.#usedBytes += sizeBytes;
    return this.#bytes.subarray(this.#usedBytes - sizeBytes, this.#usedBytes);
  }

  /** What is to be called once, in the end. */
  use(): () => void {
    this.#users += 1;
    return () => this.release();
  }

  release(): void {
    this.#users -= 1;
    if (this.#users === 0) this.#memory.giveBack(this.#bytes);
  }
}
