import type { IncomingMessage } from 'node:http';

/** Who sent a body is gone, or has fallen silent. */
export class CutBodyError extends Error {}

/** What waits to be taken, beyond which the sender has to wait. */
const WAITING_BYTES_MAX = 128 * 1024;

/**
 * The body of a request as it comes: each piece as it was read, where a stream's own iterator would
 * copy several into a new one.
 */
export async function* bodyPieces(
  request: IncomingMessage,
  idleMs: number,
): AsyncGenerator<Uint8Array> {
  const arrivals = new Arrivals(request);
  const timer = setTimeout(() => arrivals.expire(), idleMs);
  try {
    for (;;) {
      const pieces = arrivals.take();
      yield* pieces;
      if (pieces.length > 0) continue;
      if (arrivals.phase === 'ended') return;
      if (arrivals.phase === 'cut') throw new CutBodyError('the body of the request was cut');
      timer.refresh();
      await arrivals.more();
    }
  } finally {
    clearTimeout(timer);
    arrivals.end();
  }
}

/** What has come of a request, and was not taken yet. */
class Arrivals {
  phase: 'open' | 'ended' | 'cut' = 'open';
  readonly #request: IncomingMessage;
  #pieces: Buffer[] = [];
  #sizeBytes = 0;
  /** Undefined: nobody waits. */
  #wake: (() => void) | undefined;

  constructor(request: IncomingMessage) {
    this.#request = request;
    if (request.destroyed) this.phase = 'cut';
    request.on('data', this.#onData).once('end', this.#onEnd);
    request.once('error', this.#onCut).once('close', this.#onCut);
  }

  take(): readonly Buffer[] {
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#sizeBytes = 0;
    return pieces;
  }

  /** Once nothing is there, and all may still come. */
  more(): Promise<void> {
    if (this.#request.isPaused()) this.#request.resume();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** Of who is waited for; else it is dom that takes its time. */
  expire(): void {
    if (this.#wake !== undefined) this.#onCut();
  }

  end(): void {
    const request = this.#request.off('data', this.#onData).off('end', this.#onEnd);
    request.off('error', this.#onCut).off('close', this.#onCut);
  }

  #awake(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  readonly #onData = (piece: Buffer): void => {
    this.#pieces.push(piece);
    this.#sizeBytes += piece.length;
    if (this.#sizeBytes >= WAITING_BYTES_MAX) this.#request.pause();
    this.#awake();
  };

  readonly #onEnd = (): void => {
    this.phase = 'ended';
    this.#awake();
  };

  readonly #onCut = (): void => {
    if (this.phase === 'open') this.phase = 'cut';
    this.#awake();
  };
}
