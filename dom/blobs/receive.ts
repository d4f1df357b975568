import { zstdDecompressSync } from 'node:zlib';
import type { UploadBlobRequest } from '../../proto/gen/b8s/v1/api.ts';
import { RequestError } from '../../runtime/request-error.ts';
import type { Blobs } from './blobs.ts';

/** Blobs up to this size are kept in memory until they are whole, and stored side by side. */
const SMALL_BYTES = 256 * 1024;
/** How many of them wait for the disk at once: each is an fsync, which disks answer in groups. */
const SMALL_AT_ONCE = 16;
/** Of what zlib unpacks to at once, it takes no less. */
const CHUNK_BYTES_MIN = 64;
/** A compressed message may become this long. */
const RAW_BYTES_MAX = 1024 * 1024;

/**
 * Stores what one upload stream carries, blob after blob; tells `stored` of each. All are durable
 * when it resolves.
 *
 * Guarantees: at most SMALL_AT_ONCE small blobs and one piece of a large one are in memory. The
 * first failure ends the stream; what was stored by then stays.
 * Errors: INVALID_ARGUMENT for a stream without a blob, for bytes that are not what their digest
 * says, and for a message that does not unpack to what it promises; else as `Blobs.put`.
 */
export async function receiveBlobs(
  blobs: Pick<Blobs, 'put' | 'putWhole'>,
  requests: AsyncIterable<UploadBlobRequest>,
  stored: (digest: string) => void,
): Promise<void> {
  const upload = new Upload(requests[Symbol.asyncIterator]());
  const waiting = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  try {
    for (let head = await upload.first(); head !== undefined; head = await upload.following()) {
      const { digest, sizeBytes, offsetBytes } = head;
      if (sizeBytes > SMALL_BYTES || offsetBytes > 0n) {
        await blobs.put(digest, upload.chunks(head), { offsetBytes: Number(offsetBytes) });
        stored(digest);
        continue;
      }
      const bytes = await upload.small(head);
      const storing = blobs
        .putWhole(digest, bytes)
        .then(() => stored(digest))
        .catch((error: unknown) => {
          failure ??= { error };
        })
        .finally(() => waiting.delete(storing));
      waiting.add(storing);
      if (waiting.size >= SMALL_AT_ONCE) await Promise.race(waiting);
      if (failure !== undefined) break;
    }
  } finally {
    await upload.end();
    await Promise.all(waiting);
  }
  if (failure !== undefined) throw failure.error;
}

/** The messages of one stream, read one ahead: only the next one tells that a blob has ended. */
class Upload {
  readonly #messages: AsyncIterator<UploadBlobRequest>;
  #next: UploadBlobRequest | undefined;

  constructor(messages: AsyncIterator<UploadBlobRequest>) {
    this.#messages = messages;
  }

  async first(): Promise<UploadBlobRequest | undefined> {
    await this.#advance();
    if (this.#next !== undefined && this.#next.digest !== '') return this.#next;
    throw new RequestError('INVALID_ARGUMENT', 'an upload begins with the digest of the blob');
  }

  /** The head of the blob after one that was read to its end; undefined: that was the last one. */
  async following(): Promise<UploadBlobRequest | undefined> {
    // Whoever stores a blob may have stopped before its end, which its digest would not survive.
    while (this.#next !== undefined && this.#next.digest === '') await this.#advance();
    return this.#next;
  }

  /** The bytes of the blob that begins with `head`. */
  async *chunks(head: UploadBlobRequest): AsyncGenerator<Uint8Array> {
    let sentBytes = Number(head.offsetBytes);
    for (let message: UploadBlobRequest | undefined = head; message !== undefined; ) {
      const bytes = unpacked(message);
      sentBytes += bytes.byteLength;
      yield bytes;
      await this.#advance();
      message = this.#next?.digest === '' ? this.#next : undefined;
    }
    if (sentBytes >= head.sizeBytes) return;
    const told = `ended after ${sentBytes} of ${head.sizeBytes} bytes`;
    throw new RequestError('INVALID_ARGUMENT', `the upload of ${head.digest} ${told}: push again`);
  }

  async small(head: UploadBlobRequest): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    let sizeBytes = 0;
    for await (const chunk of this.chunks(head)) {
      sizeBytes += chunk.byteLength;
      if (sizeBytes > SMALL_BYTES)
        throw new RequestError('INVALID_ARGUMENT', `${head.digest} is longer than was told`);
      chunks.push(chunk);
    }
    const [only] = chunks;
    return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
  }

  async end(): Promise<void> {
    await this.#messages.return?.();
  }

  async #advance(): Promise<void> {
    const { done, value } = await this.#messages.next();
    this.#next = done === true ? undefined : value;
  }
}

function unpacked({ chunk, rawBytes }: UploadBlobRequest): Uint8Array {
  if (rawBytes === 0) return chunk;
  if (rawBytes <= RAW_BYTES_MAX) {
    try {
      // With room for all of it at once: what is gathered piece by piece is copied.
      const sizes = { maxOutputLength: rawBytes, chunkSize: Math.max(CHUNK_BYTES_MIN, rawBytes) };
      const bytes = zstdDecompressSync(chunk, sizes);
      if (bytes.length === rawBytes) return bytes;
    } catch {
      // It is said below: what zlib says of it helps nobody.
    }
  }
  throw new RequestError('INVALID_ARGUMENT', `a message does not unpack to ${rawBytes} bytes`);
}
