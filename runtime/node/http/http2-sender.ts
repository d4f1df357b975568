import { DATE_PREFIX, EMPTY_TABLE, encodeBlock } from '../../hpack/encoder.ts';
import type { HttpAnswer } from '../../http.ts';
import {
  ERROR,
  type ErrorCode,
  FLAG,
  FRAME,
  FRAME_BYTES_MAX,
  WINDOW_BYTES,
  WINDOW_BYTES_MAX,
} from '../../http2/frames.ts';
import type { Output } from './output.ts';
import { discard, encodedHead, type SharedParts, withLength } from './shared.ts';

/** An answer that is not sent yet, or not all of it. */
interface Stream {
  readonly id: number;
  /** A body follows the request: the client is told to stop once it has its answer. */
  readonly hasBody: boolean;
  phase: 'waiting' | 'sending' | 'fetching' | 'over';
  windowBytes: number;
  piece: Uint8Array;
  /** Of `piece`: what comes next. */
  at: number;
  pieces: AsyncIterator<Uint8Array> | undefined;
  isQueued: boolean;
}

/** Handed to the socket, and not yet taken: what comes then waits. */
const PENDING_BYTES_MAX = 256 * 1024;
/** Of a frame that counts as taken by the client. */
const EARNING_BYTES = 1024;
/** Read before there is a window for it: that way the end of a body is seen without one. */
const AHEAD_BYTES = 1024;
/** Of bodies in one write: with what else is there, it fits into one piece of memory. */
const WRITE_BYTES = 96 * 1024;
const NOTHING = new Uint8Array();

/**
 * The sending half of an HTTP/2 connection: answers, cut into frames, within both windows (RFC 9113
 * §5.2), streams in turn. Holds one piece of the body of each answer.
 */
export class Http2Sender {
  readonly #output: Output;
  readonly #parts: SharedParts;
  readonly #streams = new Map<number, Stream>();
  /** Those that have something to send, and room in their own window. */
  readonly #queue: Stream[] = [];
  #windowBytes = WINDOW_BYTES;
  #peerWindowBytes = WINDOW_BYTES;
  #tableChange: 'none' | 'to be told' = 'none';
  #dataFrames = 0;
  /** Of bodies: read or being read, and not yet written. */
  #heldBytes = 0;

  constructor(output: Output, parts: SharedParts) {
    this.#output = output;
    this.#parts = parts;
  }

  /** How many answers are under way. */
  get openStreams(): number {
    return this.#streams.size;
  }

  /** How many frames of bodies, not too small, were written since this was last asked. */
  takeDataFrames(): number {
    const frames = this.#dataFrames;
    this.#dataFrames = 0;
    return frames;
  }

  /** Notes a request whose answer takes time. */
  open(id: number, { hasBody }: { readonly hasBody: boolean }): Stream {
    const stream: Stream = {
      ...{ id, hasBody, phase: 'waiting', windowBytes: this.#peerWindowBytes },
      ...{ piece: NOTHING, at: 0, pieces: undefined, isQueued: false },
    };
    this.#streams.set(id, stream);
    return stream;
  }

  /** For a stream that was opened; nothing when it was reset meanwhile. */
  sendLate(stream: Stream, answer: HttpAnswer): void {
    if (stream.phase !== 'waiting') return discard(answer);
    this.#streams.delete(stream.id);
    this.send(stream.id, answer, stream);
  }

  /** Sends all of it at once where that is possible. */
  send(
    id: number,
    answer: HttpAnswer,
    given: { readonly hasBody: boolean } & Partial<Stream>,
  ): void {
    const { body } = answer;
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    const isEmpty = bytes === undefined || (bytes instanceof Uint8Array && bytes.length === 0);
    try {
      this.#writeHead(id, answer, isEmpty ? FLAG.endStream : 0);
    } catch (error) {
      this.#parts.onError?.(error);
      discard(answer);
      return this.writeReset(id, ERROR.internal);
    }
    if (isEmpty) return this.#end(id, given);
    const windowBytes = given.windowBytes ?? this.#peerWindowBytes;
    if (bytes instanceof Uint8Array && this.#hasRoom(bytes.length, windowBytes)) {
      this.#writeWhole(id, bytes);
      return this.#end(id, given);
    }
    const stream = this.open(id, given);
    stream.windowBytes = windowBytes;
    this.#parts.budget.begin();
    stream.phase = 'sending';
    if (bytes instanceof Uint8Array) {
      stream.piece = bytes;
      this.#enqueue(stream);
    } else {
      stream.pieces = bytes[Symbol.asyncIterator]();
      this.#fetch(stream);
    }
  }

  /** Goes on with what waits, as far as windows and socket allow. */
  pump(): void {
    while (this.#windowBytes > 0 && this.#mayGoOn()) {
      const stream = this.#queue.shift();
      if (stream === undefined) break;
      stream.isQueued = false;
      if (stream.phase === 'sending') this.#sendSome(stream);
    }
    this.#output.flush();
  }

  /** RFC 9113 §6.9; a code where it is an error: of the connection for stream 0. */
  addWindow(streamId: number, bytes: number): ErrorCode | undefined {
    if (streamId === 0) {
      this.#windowBytes += bytes;
      return this.#windowBytes > WINDOW_BYTES_MAX ? ERROR.flowControl : undefined;
    }
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return undefined;
    stream.windowBytes += bytes;
    if (stream.windowBytes > WINDOW_BYTES_MAX) return ERROR.flowControl;
    this.#enqueue(stream);
    return undefined;
  }

  /** For streams that are open, too (RFC 9113 §6.9.2). */
  setPeerWindow(bytes: number): ErrorCode | undefined {
    const more = bytes - this.#peerWindowBytes;
    this.#peerWindowBytes = bytes;
    for (const stream of this.#streams.values()) {
      stream.windowBytes += more;
      if (stream.windowBytes > WINDOW_BYTES_MAX) return ERROR.flowControl;
      this.#enqueue(stream);
    }
    return undefined;
  }

  /** The peer has named a size of the dynamic table: it is told that we use none. */
  changeTable(): void {
    this.#tableChange = 'to be told';
  }

  /** The peer wants no more of it. */
  drop(id: number): 'under way' | 'over' {
    const stream = this.#streams.get(id);
    if (stream === undefined) return 'over';
    this.#leave(stream);
    return 'under way';
  }

  dropAll(): void {
    for (const stream of this.#streams.values()) this.#leave(stream);
  }

  writeReset(id: number, code: ErrorCode): void {
    const payload = Buffer.allocUnsafe(4);
    payload.writeUInt32BE(code);
    this.#output.writeFrameHead({ lengthBytes: 4, type: FRAME.rstStream, flags: 0, streamId: id });
    this.#output.write(payload);
  }

  /** One write at a time, of as much as goes into one: several would be put together below us. */
  #mayGoOn(): boolean {
    return this.#output.inFlightBytes === 0 && this.#output.pendingBytes < WRITE_BYTES;
  }

  #hasRoom(bytes: number, windowBytes: number): boolean {
    if (bytes > windowBytes || bytes > this.#windowBytes || this.#queue.length > 0) return false;
    return this.#output.pendingBytes + bytes <= PENDING_BYTES_MAX;
  }

  #writeHead(id: number, answer: HttpAnswer, flags: number): void {
    const block = encodedHead(answer, 'http2', encodeHead);
    const isChange = this.#tableChange === 'to be told';
    this.#tableChange = 'none';
    const date = this.#parts.time.date;
    const lengthBytes = (isChange ? 1 : 0) + block.length + DATE_START.length + date.length;
    const all = flags | FLAG.endHeaders;
    this.#output.writeFrameHead({ lengthBytes, type: FRAME.headers, flags: all, streamId: id });
    if (isChange) this.#output.write(TABLE_CHANGE);
    this.#output.write(block);
    this.#output.write(DATE_START);
    this.#output.write(date);
  }

  #writeWhole(id: number, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += FRAME_BYTES_MAX) {
      const part =
        bytes.length <= FRAME_BYTES_MAX ? bytes : bytes.subarray(at, at + FRAME_BYTES_MAX);
      this.#writeData(id, part, at + FRAME_BYTES_MAX >= bytes.length ? FLAG.endStream : 0);
    }
    this.#windowBytes -= bytes.length;
  }

  #writeData(streamId: number, bytes: Uint8Array, flags: number): void {
    const lengthBytes = bytes.length;
    // Windows of a few bytes earn nothing (CVE-2019-9511).
    if (lengthBytes >= EARNING_BYTES) this.#dataFrames += 1;
    this.#output.writeFrameHead({ lengthBytes, type: FRAME.data, flags, streamId });
    this.#output.write(bytes);
  }

  #sendSome(stream: Stream): void {
    const leftBytes = stream.piece.length - stream.at;
    const bytes = Math.min(FRAME_BYTES_MAX, leftBytes, this.#windowBytes, stream.windowBytes);
    // It is queued again once its window has grown.
    if (bytes <= 0) return;
    const isLast = bytes === leftBytes && stream.pieces === undefined;
    const part = stream.piece.subarray(stream.at, stream.at + bytes);
    this.#writeData(stream.id, part, isLast ? FLAG.endStream : 0);
    stream.at += bytes;
    if (stream.pieces !== undefined) this.#heldBytes -= bytes;
    stream.windowBytes -= bytes;
    this.#windowBytes -= bytes;
    if (isLast) this.#finish(stream);
    else if (bytes === leftBytes) this.#fetch(stream);
    else this.#enqueue(stream);
  }

  #fetch(stream: Stream): void {
    stream.phase = 'fetching';
    const bytesMax = this.#pieceBytesMax(stream);
    this.#heldBytes += bytesMax;
    stream.pieces?.next(bytesMax).then(
      ({ done, value }) => {
        this.#heldBytes -= bytesMax;
        if (stream.phase !== 'fetching') return;
        stream.phase = 'sending';
        if (done === true) {
          this.#writeData(stream.id, NOTHING, FLAG.endStream);
          this.#finish(stream);
        } else {
          stream.piece = value;
          stream.at = 0;
          this.#heldBytes += value.length;
          if (value.length === 0) return this.#fetch(stream);
          this.#enqueue(stream);
        }
        this.pump();
      },
      () => {
        this.#heldBytes -= bytesMax;
        if (stream.phase !== 'fetching') return;
        // A body that is too short must look like an error, never like the end.
        this.writeReset(stream.id, ERROR.internal);
        this.#leave(stream);
        this.#output.flush();
      },
    );
  }

  /** What both windows have room for; all streams share what a connection may hold. */
  #pieceBytesMax({ windowBytes }: Stream): number {
    const { pieceBytes, connectionBytes } = this.#parts.budget;
    const room = Math.min(this.#windowBytes, connectionBytes);
    const share = Math.floor(room / Math.max(1, this.#streams.size));
    return Math.max(AHEAD_BYTES, Math.min(pieceBytes, windowBytes, share, room - this.#heldBytes));
  }

  #enqueue(stream: Stream): void {
    if (stream.phase !== 'sending' || stream.isQueued || stream.windowBytes <= 0) return;
    stream.isQueued = true;
    this.#queue.push(stream);
  }

  #finish(stream: Stream): void {
    stream.pieces = undefined;
    this.#leave(stream);
    this.#end(stream.id, stream);
  }

  /** Tells the client not to send the rest of its body (RFC 9113 §8.1). */
  #end(id: number, { hasBody }: { readonly hasBody: boolean }): void {
    if (hasBody) this.writeReset(id, ERROR.none);
  }

  #leave(stream: Stream): void {
    if (stream.phase === 'over') return;
    if (stream.phase !== 'waiting') this.#parts.budget.end();
    stream.phase = 'over';
    this.#streams.delete(stream.id);
    if (stream.pieces !== undefined) this.#heldBytes -= stream.piece.length - stream.at;
    void stream.pieces?.return?.()?.catch(() => undefined);
    stream.pieces = undefined;
    stream.piece = NOTHING;
  }
}

const DATE_START = Buffer.from(DATE_PREFIX);
const TABLE_CHANGE = Buffer.of(EMPTY_TABLE);

function encodeHead(answer: HttpAnswer): Uint8Array {
  const block = encodeBlock(answer.status, withLength(answer));
  if (block.length > HEAD_BYTES_MAX) throw new RangeError('the headers of an answer are too large');
  return block;
}

/** With what is added, in one frame. */
const HEAD_BYTES_MAX = FRAME_BYTES_MAX - 64;
