import { FRAME_BYTES_MAX, FRAME_HEAD_BYTES, PREFACE } from './frames.ts';

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  /** Good until the next bytes are read. */
  readonly payload: Buffer;
}

/** Cuts what comes on one connection into frames, and holds at most one that is not yet whole. */
export class FrameReader {
  #prefaceBytes = 0;
  #partial: Buffer | undefined;
  #have = 0;

  /** Whether the client has said that it speaks HTTP/2. */
  get hasPreface(): boolean {
    return this.#prefaceBytes === PREFACE.length;
  }

  /** Whether the last frame is not whole. */
  get isWaiting(): boolean {
    return this.#partial !== undefined;
  }

  /** `onFrame` says whether to go on. What is neither preface nor frame ends it. */
  read(piece: Buffer, onFrame: (frame: Frame) => boolean): 'ok' | 'no preface' | 'too large' {
    let at = this.#readPreface(piece);
    if (at < 0) return 'no preface';
    while (at < piece.length) {
      if (this.#partial !== undefined || piece.length - at < FRAME_HEAD_BYTES) {
        at = this.#gather(piece, at);
        const whole = this.#takeWhole();
        if (whole === 'too large') return whole;
        if (whole !== undefined && !onFrame(whole)) return 'ok';
        continue;
      }
      const lengthBytes = lengthAt(piece, at);
      if (lengthBytes > FRAME_BYTES_MAX) return 'too large';
      const end = at + FRAME_HEAD_BYTES + lengthBytes;
      if (end > piece.length) {
        this.#partial = Buffer.allocUnsafe(FRAME_HEAD_BYTES + lengthBytes);
        this.#have = piece.copy(this.#partial, 0, at);
        return 'ok';
      }
      if (!onFrame(frameAt(piece, at, end))) return 'ok';
      at = end;
    }
    return 'ok';
  }

  /** Where it ends; -1: it is none. */
  #readPreface(piece: Buffer): number {
    let at = 0;
    while (this.#prefaceBytes < PREFACE.length && at < piece.length) {
      if (piece[at] !== PREFACE[this.#prefaceBytes]) return -1;
      at += 1;
      this.#prefaceBytes += 1;
    }
    return at;
  }

  #gather(piece: Buffer, at: number): number {
    this.#partial ??= Buffer.allocUnsafe(FRAME_HEAD_BYTES);
    const copied = piece.copy(this.#partial, this.#have, at);
    this.#have += copied;
    return at + copied;
  }

  #takeWhole(): Frame | 'too large' | undefined {
    const partial = this.#partial;
    if (partial === undefined || this.#have < partial.length) return undefined;
    const lengthBytes = lengthAt(partial, 0);
    if (lengthBytes > FRAME_BYTES_MAX) return 'too large';
    if (partial.length < FRAME_HEAD_BYTES + lengthBytes) {
      this.#partial = Buffer.allocUnsafe(FRAME_HEAD_BYTES + lengthBytes);
      partial.copy(this.#partial);
      return undefined;
    }
    this.#partial = undefined;
    this.#have = 0;
    return frameAt(partial, 0, partial.length);
  }
}

function lengthAt(bytes: Buffer, at: number): number {
  return ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
}

function frameAt(bytes: Buffer, at: number, end: number): Frame {
  return {
    type: bytes[at + 3] ?? 0,
    flags: bytes[at + 4] ?? 0,
    // The first bit is reserved, and means nothing (RFC 9113 §4.1).
    streamId: bytes.readUInt32BE(at + 5) & 0x7fff_ffff,
    payload: bytes.subarray(at + FRAME_HEAD_BYTES, end),
  };
}
