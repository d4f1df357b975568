import type { HttpAnswer } from '../../runtime/http.ts';

type Pieces = AsyncIterable<Uint8Array>;

/** Told once, when nothing more of a body will be asked for: how much of it was. */
export type OnEnd = (bytes: number, ending: 'whole' | 'cut') => void;

/** The same pieces. What is asked for is sent; who leaves early may not have got the last one. */
export function measured(pieces: Pieces, onEnd: OnEnd): Pieces {
  return { [Symbol.asyncIterator]: () => new MeasuredPieces(pieces, onEnd) };
}

/** Of bytes in memory, as many at a time as are asked for: so it shows who leaves early. */
export async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, unknown> {
  // The first one is asked for without a word on how long it may be.
  let most: unknown = FIRST_BYTES_MAX;
  for (let at = 0; at < bytes.length; ) {
    const end = at + Math.max(1, typeof most === 'number' ? most : FIRST_BYTES_MAX);
    const piece = bytes.subarray(at, end);
    at += piece.length;
    most = yield piece;
  }
}

const FIRST_BYTES_MAX = 16 * 1024;

/** Of a body that is whole. */
export function bytesOf(body: Exclude<HttpAnswer['body'], Pieces>): number {
  if (body === undefined) return 0;
  return typeof body === 'string' ? Buffer.byteLength(body) : body.length;
}

export function isPieces(body: HttpAnswer['body']): body is Pieces {
  return typeof body === 'object' && !(body instanceof Uint8Array);
}

class MeasuredPieces implements AsyncIterator<Uint8Array> {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #onEnd: OnEnd | undefined;
  #bytes = 0;

  constructor(pieces: Pieces, onEnd: OnEnd) {
    this.#pieces = pieces[Symbol.asyncIterator]();
    this.#onEnd = onEnd;
  }

  next(bytesMax?: unknown): Promise<IteratorResult<Uint8Array>> {
    return this.#pieces.next(bytesMax).then(
      (piece) => {
        if (piece.done === true) this.#end('whole');
        else this.#bytes += piece.value.length;
        return piece;
      },
      (error: unknown) => {
        this.#end('cut');
        throw error;
      },
    );
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    this.#end('cut');
    await this.#pieces.return?.();
    return { done: true, value: undefined };
  }

  #end(ending: 'whole' | 'cut'): void {
    const onEnd = this.#onEnd;
    this.#onEnd = undefined;
    onEnd?.(this.#bytes, ending);
  }
}
