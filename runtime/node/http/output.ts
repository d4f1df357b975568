import type { Socket } from 'node:net';
import { FRAME_HEAD_BYTES } from '../../http2/frames.ts';

/**
 * What goes out on one connection. Small pieces are gathered, so that one turn of the loop costs
 * one write, one TLS record where it fits and one call of the kernel.
 */
export class Output {
  readonly #socket: Socket;
  readonly #chunks: ChunkPool;
  readonly #onSent: () => void;
  #chunk: Buffer | undefined;
  #used = 0;
  #inFlightBytes = 0;

  /** `onSent` is called each time when some of what was flushed has left. */
  constructor(socket: Socket, chunks: ChunkPool, onSent: () => void) {
    this.#socket = socket;
    this.#chunks = chunks;
    this.#onSent = onSent;
  }

  /** Handed to the socket, and not yet taken by the kernel. */
  get inFlightBytes(): number {
    return this.#inFlightBytes;
  }

  /** The same, and what was gathered since. */
  get pendingBytes(): number {
    return this.#inFlightBytes + this.#used;
  }

  /** A piece of more than 112 KiB is not copied, and must stay as it is until `onSent` finds nothing pending. */
  write(bytes: Uint8Array): void {
    if (bytes.length > COPIED_BYTES_MAX) {
      // Together with what stands before it, which costs a copy where there is something.
      this.#socket.cork();
      this.flush();
      this.#send(bytes);
      this.#socket.uncork();
      return;
    }
    const chunk = this.#room(bytes.length);
    chunk.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  /** Characters up to U+00FF, a byte for each. */
  writeLatin1(text: string): void {
    if (text.length > COPIED_BYTES_MAX) return this.write(Buffer.from(text, 'latin1'));
    const chunk = this.#room(text.length);
    this.#used += chunk.write(text, this.#used, 'latin1');
  }

  /** The head of an HTTP/2 frame (RFC 9113 §4.1). */
  writeFrameHead(frame: {
    readonly lengthBytes: number;
    readonly type: number;
    readonly flags: number;
    readonly streamId: number;
  }): void {
    // With its payload, so that they leave together.
    const chunk = this.#room(FRAME_HEAD_BYTES + frame.lengthBytes);
    const at = this.#used;
    const { lengthBytes, streamId } = frame;
    chunk[at] = lengthBytes >> 16;
    chunk[at + 1] = (lengthBytes >> 8) & 0xff;
    chunk[at + 2] = lengthBytes & 0xff;
    chunk[at + 3] = frame.type;
    chunk[at + 4] = frame.flags;
    chunk[at + 5] = streamId >>> 24;
    chunk[at + 6] = (streamId >> 16) & 0xff;
    chunk[at + 7] = (streamId >> 8) & 0xff;
    chunk[at + 8] = streamId & 0xff;
    this.#used = at + FRAME_HEAD_BYTES;
  }

  flush(): void {
    const chunk = this.#chunk;
    if (chunk === undefined || this.#used === 0) return;
    const bytes = chunk.subarray(0, this.#used);
    this.#chunk = undefined;
    this.#used = 0;
    this.#send(bytes, chunk);
  }

  /** What was gathered is lost. */
  close(): void {
    if (this.#chunk !== undefined) this.#chunks.give(this.#chunk);
    this.#chunk = undefined;
    this.#used = 0;
  }

  #room(bytes: number): Buffer {
    const chunk = this.#chunk;
    const wanted = this.#used + bytes;
    if (chunk !== undefined && wanted <= chunk.length) return chunk;
    if (chunk !== undefined && wanted > CHUNK_BYTES.large) this.flush();
    const next = this.#chunks.take(this.#used + bytes > CHUNK_BYTES.small ? 'large' : 'small');
    if (chunk !== undefined && this.#used > 0) {
      chunk.copy(next, 0, 0, this.#used);
      this.#chunks.give(chunk);
    }
    this.#chunk = next;
    return next;
  }

  #send(bytes: Uint8Array, chunk?: Buffer): void {
    if (this.#socket.destroyed || this.#socket.writableEnded) return;
    this.#inFlightBytes += bytes.length;
    this.#socket.write(bytes, () => {
      this.#inFlightBytes -= bytes.length;
      if (chunk !== undefined) this.#chunks.give(chunk);
      this.#onSent();
    });
  }
}

type ChunkSize = 'small' | 'large';
const CHUNK_BYTES = { small: 16 * 1024, large: 128 * 1024 } as const;
/** Kept for the next one, of each size. */
const SPARE_CHUNKS_MAX = { small: 64, large: 32 } as const;
/** Fits into a chunk with a head before it: one write of one piece costs no copy below us. */
const COPIED_BYTES_MAX = CHUNK_BYTES.large - 16 * 1024;

/** Memory that is written from, shared by the connections of one listener. */
export class ChunkPool {
  readonly #spare: Readonly<Record<ChunkSize, Buffer[]>> = { small: [], large: [] };

  take(size: ChunkSize): Buffer {
    return this.#spare[size].pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES[size]);
  }

  give(chunk: Buffer): void {
    const size = chunk.length === CHUNK_BYTES.small ? 'small' : 'large';
    if (this.#spare[size].length < SPARE_CHUNKS_MAX[size]) this.#spare[size].push(chunk);
  }
}
