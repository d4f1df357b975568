/** Thrown for bytes that end before what was promised. */
export class CutShortError extends Error {
  override readonly name = 'CutShortError';
}

/** Reads a stream of bytes in parts of known length; holds one chunk at a time. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array();

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** The next `length` bytes, or as many as there are. */
  async atMost(length: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    for (let missing = length; missing > 0; ) {
      const part = await this.#next(missing);
      if (part === undefined) break;
      parts.push(part);
      missing -= part.byteLength;
    }
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
  }

  /** The next `length` bytes. Throws a CutShortError when there are fewer. */
  async *stream(length: number): AsyncGenerator<Uint8Array> {
    for (let missing = length; missing > 0; ) {
      const part = await this.#next(missing);
      if (part === undefined) throw new CutShortError(`${missing} bytes are missing`);
      missing -= part.byteLength;
      yield part;
    }
  }

  /** All that is left. */
  async *rest(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const part = await this.#next(Number.POSITIVE_INFINITY);
      if (part === undefined) return;
      yield part;
    }
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  async #next(lengthMax: number): Promise<Uint8Array | undefined> {
    while (this.#rest.byteLength === 0) {
      const { done, value } = await this.#chunks.next();
      if (done === true) return undefined;
      this.#rest = value;
    }
    const part = this.#rest.subarray(0, lengthMax);
    this.#rest = this.#rest.subarray(part.byteLength);
    return part;
  }
}
