/**
 * Memory of one size that is used again and again: what is made anew for each of thousands of short
 * uses has the collector of garbage look through everything else again and again.
 *
 * Caveats: who gives back what is still read by somebody has it written over.
 */
export class SpareMemory {
  readonly #sizeBytes: number;
  readonly #spareMax: number;
  readonly #spare: Uint8Array[] = [];

  /** `spareMax`: as many are kept. */
  constructor({ sizeBytes, spareMax }: { readonly sizeBytes: number; readonly spareMax: number }) {
    this.#sizeBytes = sizeBytes;
    this.#spareMax = spareMax;
  }

  /** With whatever was in it before. */
  take(): Uint8Array {
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(this.#sizeBytes);
  }

  giveBack(memory: Uint8Array): void {
    if (this.#spare.length < this.#spareMax) this.#spare.push(memory);
  }
}

/**
 * Frees memory at once that nobody looks at any more: what waits for the collector of garbage has it
 * come sooner, and look through everything else. What is part of something larger stays.
 */
export function freeNow({ buffer, byteLength }: Uint8Array): void {
  if (byteLength > 0 && buffer instanceof ArrayBuffer && buffer.byteLength === byteLength)
    buffer.transfer(0);
}
