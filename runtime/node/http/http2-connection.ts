import type { Socket } from 'node:net';
import { HpackDecoder } from '../../hpack/decoder.ts';
import type { HttpAnswer } from '../../http.ts';
import { type Frame, FrameReader } from '../../http2/frame-reader.ts';
import {
  blockOf,
  ERROR,
  type ErrorCode,
  FLAG,
  FRAME,
  parseSettings,
  serverSettings,
  WINDOW_BYTES_MAX,
} from '../../http2/frames.ts';
import { requestOf } from '../../http2/request.ts';
import { Http2Sender } from './http2-sender.ts';
import { Output } from './output.ts';
import { Patience } from './patience.ts';
import {
  answerSafely,
  type Connection,
  LEAVING_MS,
  refuseBody,
  type SharedParts,
} from './shared.ts';

/** What frames cost the client's `Patience`. */
const PRICE = {
  any: 1,
  /** More than its request and a small answer have earned. */
  reset: 6,
  settings: 10,
  continuation: 10,
  malformed: 20,
  refused: 10,
} as const;
const EARNED = { request: 2, dataFrame: 2 } as const;
/** Of one header block, whose bytes are limited as well. */
const CONTINUATIONS_MAX = 8;
/** Handed to the socket, and not yet taken: nothing more is read then. */
const UNSENT_BYTES_MAX = 1024 * 1024;
/** Bytes of refused bodies after which the client gets its window back. */
const DISCARDED_BYTES = 32 * 1024;
const LINGER_MS = 1000;
const LEAVING_PING = Buffer.from('leaving!');

interface HeaderBlock {
  readonly streamId: number;
  readonly endStream: boolean;
  readonly sinceMs: number;
  readonly parts: Buffer[];
  sizeBytes: number;
}

/**
 * Serves HTTP/2 on one socket (RFC 9113). Never throws, whatever the client does. Its header blocks,
 * streams, frames without use and unsent bytes are limited; over a limit the connection ends with
 * GOAWAY, and only this one.
 */
export class Http2Connection implements Connection {
  readonly #socket: Socket;
  readonly #address: string | undefined;
  readonly #parts: SharedParts;
  readonly #output: Output;
  readonly #sender: Http2Sender;
  readonly #decoder: HpackDecoder;
  readonly #reader = new FrameReader();
  #phase: 'greeting' | 'open' | 'leaving' | 'last streams' | 'closing' | 'closed' = 'greeting';
  #block: HeaderBlock | undefined;
  #lastStreamId = 0;
  readonly #patience = new Patience();
  #discardedBytes = 0;
  /** When this phase began, an answer was begun or some of a body left. */
  #progressMs: number;
  /** Since when a frame has not been whole. */
  #partialMs: number | undefined;

  constructor(socket: Socket, parts: SharedParts) {
    this.#socket = socket;
    this.#address = socket.remoteAddress;
    this.#parts = parts;
    this.#progressMs = parts.time.nowMs;
    this.#output = new Output(socket, parts.chunks, () => this.#sent());
    this.#sender = new Http2Sender(this.#output, parts);
    this.#decoder = new HpackDecoder({
      listBytesMax: parts.limits.headerBytesMax,
      fieldsMax: parts.limits.headerFieldsMax,
    });
    socket.on('data', (piece: Buffer) => this.#read(piece));
    socket.on('end', () => this.#close());
    // A reset by the client is no news to us.
    socket.on('error', () => undefined);
    socket.on('close', () => this.#closed());
    this.#control(FRAME.settings, 0, serverSettings(parts.limits));
    this.#output.flush();
  }

  get isIdle(): boolean {
    return this.#sender.openStreams === 0 && this.#output.pendingBytes === 0;
  }

  sweep(): void {
    const { time, limits, drain } = this.#parts;
    const waitedMs = time.nowMs - this.#progressMs;
    const sinceMs = this.#block?.sinceMs ?? this.#partialMs;
    this.#patience.recover();
    switch (this.#phase) {
      case 'greeting':
        if (waitedMs > (drain.phase === 'draining' ? LEAVING_MS : limits.headersMs)) {
          this.#socket.destroy();
        }
        return;
      case 'leaving':
        if (waitedMs > LEAVING_MS) this.#sayLast();
        return;
      case 'open':
      case 'last streams':
        if (sinceMs !== undefined && time.nowMs - sinceMs > limits.headersMs) {
          this.#fail(ERROR.enhanceYourCalm);
        } else if (waitedMs > limits.idleMs) this.#fail(ERROR.none);
        return;
      case 'closing':
        // Nothing that moves is cut: the last answers may be long.
        if (waitedMs > (this.#output.pendingBytes > 0 ? limits.idleMs : LINGER_MS)) {
          this.#socket.destroy();
        }
        return;
      case 'closed':
        return;
    }
  }

  /** First that there will be an end, so that what is on its way is answered (RFC 9113 §6.8). */
  leave(): void {
    // One that greets is told once it has, so that what it asks with that is answered.
    if (this.#phase !== 'open') return;
    this.#phase = 'leaving';
    this.#progressMs = this.#parts.time.nowMs;
    this.#writeGoaway(WINDOW_BYTES_MAX, ERROR.none);
    this.#control(FRAME.ping, 0, LEAVING_PING);
    this.#output.flush();
  }

  #read(piece: Buffer): void {
    if (this.#phase === 'closing' || this.#phase === 'closed') return;
    const wasWaiting = this.#reader.isWaiting;
    let frames = 0;
    const outcome = this.#reader.read(piece, (frame) => {
      frames += 1;
      this.#onFrame(frame);
      return this.#phase !== 'closing' && this.#phase !== 'closed';
    });
    if (outcome === 'no preface') return this.#fail(ERROR.protocol);
    if (outcome === 'too large') return this.#fail(ERROR.frameSize);
    if (!this.#reader.isWaiting) this.#partialMs = undefined;
    else if (!wasWaiting || frames > 0) this.#partialMs = this.#parts.time.nowMs;
    this.#sender.pump();
    if (this.#output.pendingBytes > UNSENT_BYTES_MAX) this.#socket.pause();
    this.#endWhenDone();
  }

  #onFrame(frame: Frame): void {
    const { type, streamId } = frame;
    if (this.#block !== undefined && type !== FRAME.continuation) return this.#fail(ERROR.protocol);
    if (this.#phase === 'greeting') {
      if (type !== FRAME.settings || (frame.flags & FLAG.ack) !== 0)
        return this.#fail(ERROR.protocol);
      this.#phase = 'open';
      if (this.#parts.drain.phase === 'draining') this.leave();
    }
    switch (type) {
      case FRAME.headers:
        return this.#onHeaders(frame);
      case FRAME.continuation:
        return this.#onContinuation(frame);
      case FRAME.data:
        return this.#onData(frame);
      case FRAME.settings:
        return this.#onSettings(frame);
      case FRAME.ping:
        return this.#onPing(frame);
      case FRAME.windowUpdate:
        return this.#onWindowUpdate(frame);
      case FRAME.rstStream:
        return this.#onReset(frame);
      case FRAME.pushPromise:
        return this.#fail(ERROR.protocol);
      case FRAME.priority:
        if (streamId === 0) return this.#fail(ERROR.protocol);
        if (frame.payload.length !== 5) return this.#fail(ERROR.frameSize);
        return this.#spend(PRICE.any);
      case FRAME.goaway:
        return streamId === 0 ? this.#spend(PRICE.any) : this.#fail(ERROR.protocol);
      default:
        // RFC 9113 §5.5: what is not known is ignored.
        return this.#spend(PRICE.any);
    }
  }

  #onHeaders(frame: Frame): void {
    const { streamId, flags } = frame;
    if (streamId % 2 === 0) return this.#fail(ERROR.protocol);
    const part = blockOf(frame.payload, flags);
    if (part === undefined) return this.#fail(ERROR.protocol);
    const endStream = (flags & FLAG.endStream) !== 0;
    if ((flags & FLAG.endHeaders) !== 0) return this.#onBlock(streamId, part, { endStream });
    const sinceMs = this.#parts.time.nowMs;
    const parts = [Buffer.from(part)];
    this.#block = { streamId, endStream, sinceMs, parts, sizeBytes: part.length };
  }

  #onContinuation({ streamId, flags, payload }: Frame): void {
    const block = this.#block;
    if (block === undefined || block.streamId !== streamId) return this.#fail(ERROR.protocol);
    block.parts.push(Buffer.from(payload));
    block.sizeBytes += payload.length;
    const isTooLong = block.sizeBytes > this.#parts.limits.headerBytesMax;
    // Its end is not waited for: nothing on this connection can be understood any more.
    if (isTooLong || block.parts.length > CONTINUATIONS_MAX) {
      return this.#fail(ERROR.enhanceYourCalm);
    }
    this.#spend(PRICE.continuation);
    if ((flags & FLAG.endHeaders) === 0) return;
    this.#block = undefined;
    this.#onBlock(streamId, Buffer.concat(block.parts), block);
  }

  #onBlock(streamId: number, block: Buffer, { endStream }: { readonly endStream: boolean }): void {
    const decoded = this.#decoder.decode(block);
    if (decoded.kind === 'broken') return this.#fail(ERROR.compression);
    // Trailers of a body that was refused, or a stream that is over: there is nothing to answer.
    if (streamId <= this.#lastStreamId) return this.#spend(PRICE.malformed);
    // The client has been told that it will get no answer, and asks elsewhere (RFC 9113 §6.8).
    if (this.#phase !== 'open' && this.#phase !== 'leaving') return;
    this.#lastStreamId = streamId;
    if (this.#sender.openStreams >= this.#parts.limits.streamsMax) {
      this.#sender.writeReset(streamId, ERROR.refusedStream);
      return this.#spend(PRICE.refused);
    }
    this.#patience.earn(EARNED.request);
    this.#progressMs = this.#parts.time.nowMs;
    const hasBody = !endStream;
    if (decoded.kind === 'too large') {
      this.#sender.send(streamId, TOO_LARGE, { hasBody });
      return this.#spend(PRICE.malformed);
    }
    const request = requestOf(decoded.fields, { endStream, address: this.#address });
    if (request === undefined) {
      this.#sender.writeReset(streamId, ERROR.protocol);
      return this.#spend(PRICE.malformed);
    }
    const parts = this.#parts;
    const answer = hasBody ? refuseBody(request, parts) : answerSafely(request, parts);
    if (!(answer instanceof Promise)) return this.#sender.send(streamId, answer, { hasBody });
    const stream = this.#sender.open(streamId, { hasBody });
    void answer.then((late) => {
      this.#progressMs = this.#parts.time.nowMs;
      this.#sender.sendLate(stream, late);
      this.#sender.pump();
      this.#endWhenDone();
    });
  }

  /** No body is ever read; the client gets its window back all the same, for it is one for all. */
  #onData({ streamId, payload }: Frame): void {
    if (streamId === 0 || streamId > this.#lastStreamId) return this.#fail(ERROR.protocol);
    this.#spend(PRICE.any);
    this.#discardedBytes += payload.length;
    if (this.#discardedBytes < DISCARDED_BYTES) return;
    this.#control(FRAME.windowUpdate, 0, uint32(this.#discardedBytes));
    this.#discardedBytes = 0;
  }

  #onSettings({ streamId, flags, payload }: Frame): void {
    if (streamId !== 0) return this.#fail(ERROR.protocol);
    if ((flags & FLAG.ack) !== 0) {
      return payload.length === 0 ? this.#spend(PRICE.any) : this.#fail(ERROR.frameSize);
    }
    const settings = parseSettings(payload);
    if (typeof settings === 'number') return this.#fail(settings);
    this.#spend(PRICE.settings);
    if (settings.headerTableSize !== undefined) this.#sender.changeTable();
    if (settings.initialWindowSize !== undefined) {
      const error = this.#sender.setPeerWindow(settings.initialWindowSize);
      if (error !== undefined) return this.#fail(error);
    }
    this.#control(FRAME.settings, FLAG.ack, NOTHING);
  }

  #onPing({ streamId, flags, payload }: Frame): void {
    if (streamId !== 0) return this.#fail(ERROR.protocol);
    if (payload.length !== 8) return this.#fail(ERROR.frameSize);
    this.#spend(PRICE.any);
    if ((flags & FLAG.ack) === 0) return this.#control(FRAME.ping, FLAG.ack, payload);
    if (this.#phase === 'leaving' && LEAVING_PING.equals(payload)) this.#sayLast();
  }

  #onWindowUpdate({ streamId, payload }: Frame): void {
    if (payload.length !== 4) return this.#fail(ERROR.frameSize);
    if (streamId > this.#lastStreamId) return this.#fail(ERROR.protocol);
    this.#spend(PRICE.any);
    const bytes = payload.readUInt32BE(0) & WINDOW_BYTES_MAX;
    const error = bytes === 0 ? ERROR.protocol : this.#sender.addWindow(streamId, bytes);
    if (error === undefined) return;
    if (streamId === 0) return this.#fail(error);
    this.#sender.drop(streamId);
    this.#sender.writeReset(streamId, error);
    this.#spend(PRICE.malformed);
  }

  #onReset({ streamId, payload }: Frame): void {
    if (payload.length !== 4) return this.#fail(ERROR.frameSize);
    if (streamId === 0 || streamId > this.#lastStreamId) return this.#fail(ERROR.protocol);
    this.#sender.drop(streamId);
    this.#spend(PRICE.reset);
  }

  #spend(price: number): void {
    this.#earn();
    if (!this.#patience.spend(price)) this.#fail(ERROR.enhanceYourCalm);
  }

  /** For bodies that the client takes. */
  #earn(): void {
    const frames = this.#sender.takeDataFrames();
    if (frames === 0) return;
    this.#patience.earn(frames * EARNED.dataFrame);
    this.#progressMs = this.#parts.time.nowMs;
  }

  #sent(): void {
    this.#earn();
    if (this.#phase === 'closing') this.#progressMs = this.#parts.time.nowMs;
    this.#sender.pump();
    if (this.#socket.isPaused() && this.#output.pendingBytes < UNSENT_BYTES_MAX / 2) {
      this.#socket.resume();
    }
    this.#endWhenDone();
  }

  /** From here on no new request is answered. */
  #sayLast(): void {
    this.#phase = 'last streams';
    this.#writeGoaway(this.#lastStreamId, ERROR.none);
    this.#output.flush();
    this.#endWhenDone();
  }

  #endWhenDone(): void {
    if (this.#phase === 'last streams' && this.#sender.openStreams === 0) this.#close();
  }

  #fail(code: ErrorCode): void {
    if (this.#phase === 'closing' || this.#phase === 'closed') return;
    this.#writeGoaway(this.#lastStreamId, code);
    this.#close();
  }

  #close(): void {
    if (this.#phase === 'closing' || this.#phase === 'closed') return;
    this.#phase = 'closing';
    this.#block = undefined;
    this.#progressMs = this.#parts.time.nowMs;
    this.#sender.dropAll();
    this.#output.flush();
    this.#socket.end();
    // What still comes is read and thrown away for a while, lest it resets what was sent.
    this.#socket.resume();
  }

  #closed(): void {
    this.#phase = 'closed';
    this.#sender.dropAll();
    this.#output.close();
  }

  #writeGoaway(lastStreamId: number, code: ErrorCode): void {
    this.#control(FRAME.goaway, 0, Buffer.concat([uint32(lastStreamId), uint32(code)]));
  }

  #control(type: number, flags: number, payload: Buffer): void {
    this.#output.writeFrameHead({ lengthBytes: payload.length, type, flags, streamId: 0 });
    this.#output.write(payload);
  }
}

const NOTHING = Buffer.alloc(0);

const TOO_LARGE: HttpAnswer = {
  status: 431,
  headers: [['content-type', 'text/plain;charset=utf-8']],
  body: 'The headers of the request are too large.\n',
};

function uint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
