import { zstdDecompressSync } from 'node:zlib';
import type { UploadMessage } from '../../runtime/content/upload-messages.ts';
import { RequestError } from '../../runtime/request-error.ts';
import { freeNow } from '../../runtime/spare-memory.ts';
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
 * says or more than were told, and for a message that does not unpack to what it promises; else as
 * `Blobs.put`.
 */
export async function receiveBlobs(
  blobs: Pick<Blobs, 'put' | 'putWhole'>,
  requests: AsyncIterable<UploadMessage>,
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
      const { bytes, release } = await upload.small(head);
      const storing = blobs
        .putWhole(digest, bytes)
        .then(() => stored(digest))
        .catch((error: unknown) => {
          failure ??= { error };
        })
        .finally(() => {
          release();
          waiting.delete(storing);
        });
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
  readonly #messages: AsyncIterator<UploadMessage>;
  #next: UploadMessage | undefined;

  constructor(messages: AsyncIterator<UploadMessage>) {
    this.#messages = messages;
  }

  async first(): Promise<UploadMessage | undefined> {
    await this.#advance();
    if (this.#next !== undefined && this.#next.digest !== '') return this.#next;
    throw new RequestError('INVALID_ARGUMENT', 'an upload begins with the digest of the blob');
  }

  /** The head of the blob after one that was read to its end; undefined: that was the last one. */
  async following(): Promise<UploadMessage | undefined> {
    // Whoever stores a blob may have stopped before its end, which its digest would not survive.
    while (this.#next !== undefined && this.#next.digest === '') {
      this.#next.release?.();
      await this.#advance();
    }
    return this.#next;
  }

  /** The bytes of the blob that begins with `head`; each chunk is good until the next one is asked for. */
  async *chunks(head: UploadMessage): AsyncGenerator<Uint8Array> {
    for await (const { bytes, release } of this.#parts(head)) {
      try {
        yield bytes;
      } finally {
        release();
      }
    }
  }

  /**
   * All of them, to be released by whoever asks. Most blobs are one part, which stays as it is. Of
   * several only the bytes are kept: into however many messages a blob is cut, also empty ones, it
   * takes no more memory.
   */
  async small(head: UploadMessage): Promise<Part> {
    const toldBytes = Number(head.sizeBytes);
    let whole: Part | undefined;
    let memory: Buffer | undefined;
    let sizeBytes = 0;
    try {
      for await (const part of this.#parts(head)) {
        const startByte = sizeBytes;
        sizeBytes += part.bytes.byteLength;
        if (sizeBytes > toldBytes) {
          part.release();
          throw new RequestError('INVALID_ARGUMENT', `${head.digest} is longer than was told`);
        }
        if (whole === undefined) {
          whole = part;
          continue;
        }
        if (memory === undefined) {
          memory = Buffer.alloc(toldBytes);
          move(whole, memory, 0);
        }
        move(part, memory, startByte);
        whole = { bytes: memory, release: () => undefined };
      }
    } catch (error) {
      whole?.release();
      throw error;
    }
    return whole ?? NO_PART;
  }

  async end(): Promise<void> {
    this.#next?.release?.();
    this.#next = undefined;
    await this.#messages.return?.();
  }

  async *#parts(head: UploadMessage): AsyncGenerator<Part> {
    let sentBytes = Number(head.offsetBytes);
    let message: UploadMessage | undefined = head;
    do {
      // Whoever takes it releases it.
      this.#next = TAKEN;
      const part = partOf(message);
      sentBytes += part.bytes.byteLength;
      yield part;
      message = await this.#advance();
    } while (message?.digest === '');
    if (sentBytes >= head.sizeBytes) return;
    const told = `ended after ${sentBytes} of ${head.sizeBytes} bytes`;
    throw new RequestError('INVALID_ARGUMENT', `the upload of ${head.digest} ${told}: push again`);
  }

  async #advance(): Promise<UploadMessage | undefined> {
    const { done, value } = await this.#messages.next();
    this.#next = done === true ? undefined : value;
    return this.#next;
  }
}

/** In place of a message: something of its blob, which has nothing to be released any more. */
const TAKEN: UploadMessage = {
  ...{ digest: '', sizeBytes: 0n, offsetBytes: 0n },
  ...{ chunk: Buffer.alloc(0), rawBytes: 0 },
};

interface Part {
  readonly bytes: Uint8Array;
  /** To be called once, when they are of no use any more. */
  readonly release: () => void;
}

const NO_PART: Part = { bytes: Buffer.alloc(0), release: () => undefined };

function move({ bytes, release }: Part, memory: Uint8Array, startByte: number): void {
  memory.set(bytes, startByte);
  release();
}

function partOf(message: UploadMessage): Part {
  const { chunk, rawBytes, release = () => undefined } = message;
  if (rawBytes === 0) return { bytes: chunk, release };
  try {
    const bytes = unpacked(message);
    return { bytes, release: () => freeNow(bytes) };
  } finally {
    release();
  }
}

function unpacked({ chunk, rawBytes }: UploadMessage): Uint8Array {
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
