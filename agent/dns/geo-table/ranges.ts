import type { OnLeaf } from './walk.ts';

/** Addresses that lie next to each other and are of one place. */
export interface Range {
  readonly place: number;
  /** Its first address, the highest word first. It and `end` are used again for the next range. */
  readonly start: Uint32Array;
  /** The address behind its last one; all zeros behind the very last address there is. */
  readonly end: Uint32Array;
}

/** Merges leaves of equal places, as they come in order, into the fewest ranges. */
export class RangeMerger {
  readonly #placeOf: (pointer: number) => number;
  readonly #onRange: (range: Range) => void;
  readonly #start: Uint32Array;
  readonly #end: Uint32Array;
  #place = -1;

  constructor(
    words: 1 | 4,
    ports: {
      readonly placeOf: (pointer: number) => number;
      readonly onRange: (range: Range) => void;
    },
  ) {
    this.#placeOf = ports.placeOf;
    this.#onRange = ports.onRange;
    this.#start = new Uint32Array(words);
    this.#end = new Uint32Array(words);
  }

  readonly onLeaf: OnLeaf = (address, pointer) => {
    const place = this.#placeOf(pointer);
    if (place === this.#place) return;
    this.#end.set(address);
    this.#flush();
    this.#start.set(address);
    this.#place = place;
  };

  /** After the last leaf. */
  finish(): void {
    this.#end.fill(0);
    this.#flush();
  }

  #flush(): void {
    if (this.#place < 0) return;
    this.#onRange({ place: this.#place, start: this.#start, end: this.#end });
  }
}

/** A length as mantissa × 2^exponent; undefined: the mantissa is too large. */
export interface Length {
  readonly mantissa: number;
  readonly exponent: number;
}

/** The length of a range that ends behind its start. `mantissaMax` is below 2^32. */
export function lengthOf({ start, end }: Range, mantissaMax: number): Length | undefined {
  let borrow = 0;
  let exponent = 0;
  let mantissa = 0;
  // From the lowest word up, as on paper.
  for (let word = start.length - 1; word >= 0; word -= 1) {
    const value = (end[word] ?? 0) - (start[word] ?? 0) - borrow;
    borrow = value < 0 ? 1 : 0;
    const digit = value + borrow * 2 ** 32;
    if (digit === 0) continue;
    const bit = 32 * (start.length - 1 - word);
    if (mantissa === 0) {
      const zeros = 31 - Math.clz32(digit & -digit);
      exponent = bit + zeros;
      mantissa = digit / 2 ** zeros;
    } else mantissa += digit * 2 ** (bit - exponent);
    if (mantissa > mantissaMax) return undefined;
  }
  return mantissa === 0 ? undefined : { mantissa, exponent };
}
