import type { Digest } from '../../../runtime/content/digest.ts';

/** Two of them, each told by other digits: the smaller is nearer to the truth. */
const ROWS = 2;
const COUNTERS = 65_536;
/** So that what was very popular once makes way about as soon as what was popular. */
const COUNT_MAX = 15;

/**
 * About how often each blob was asked for lately: a count of at least that, in 128 KiB however many
 * blobs there are (Cormode and Muthukrishnan, "An Improved Data Stream Summary: The Count-Min
 * Sketch and its Applications", 2005). All are halved from time to time, so that what was popular
 * once makes way.
 */
export class Popularity {
  readonly #counters = new Uint8Array(ROWS * COUNTERS);
  #noted = 0;

  /** `agingAfter`: how many of these until all counts are halved. */
  note(blob: Digest, agingAfter: number): void {
    const [first, second] = [firstOf(blob), secondOf(blob)];
    const [a, b] = [this.#at(first), this.#at(second)];
    const count = Math.min(a, b, COUNT_MAX - 1) + 1;
    // The larger one is of another blob as well: it need not grow.
    if (a < count) this.#counters[first] = count;
    if (b < count) this.#counters[second] = count;
    this.#noted += 1;
    if (this.#noted >= agingAfter) this.#age();
  }

  of(blob: Digest): number {
    return Math.min(this.#at(firstOf(blob)), this.#at(secondOf(blob)));
  }

  #at(index: number): number {
    return this.#counters[index] ?? 0;
  }

  #age(): void {
    this.#noted = 0;
    // Four at once; the bit that would fall into the next one is cut off.
    const words = new Uint32Array(this.#counters.buffer);
    for (let at = 0; at < words.length; at += 1) words[at] = ((words[at] ?? 0) >>> 1) & 0x7f7f7f7f;
  }
}

/** 16 bits of the digest: it is as good a hash as any. */
function firstOf(blob: Digest): number {
  return bits(blob, DIGITS_AT);
}

function secondOf(blob: Digest): number {
  return COUNTERS + bits(blob, DIGITS_AT + 4);
}

const DIGITS_AT = 'sha256-'.length;

function bits(blob: Digest, at: number): number {
  return (
    (digit(blob, at) << 12) |
    (digit(blob, at + 1) << 8) |
    (digit(blob, at + 2) << 4) |
    digit(blob, at + 3)
  );
}

/** Of `0` to `9` and `a` to `f`. */
function digit(blob: Digest, at: number): number {
  const code = blob.charCodeAt(at);
  return code < 58 ? code - 48 : code - 87;
}
