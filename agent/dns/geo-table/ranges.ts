import { MANTISSA_MAX, RANGES_PER_BLOCK } from './format.ts';
import { NumberMap } from './number-map.ts';
import type { OnLeaf } from './walk.ts';

/** In place of a length that has no number: the mantissa is too large. */
export const NO_LENGTH: number = 2 ** 32 - 1;

const INITIAL_RANGES = 4096;

/**
 * The ranges of one family: leaves of equal places, as they come in order, merged into the fewest.
 * Kept in columns, for there are millions: 8 bytes each.
 */
export class RangeList {
  readonly words: 1 | 4;
  /** By range. */
  places: Uint32Array<ArrayBuffer> = new Uint32Array(INITIAL_RANGES);
  /** By range: the number of its length, or `NO_LENGTH`. */
  lengths: Uint32Array<ArrayBuffer> = new Uint32Array(INITIAL_RANGES);
  /** `words` for each block of ranges: where it begins. */
  starts: Uint32Array<ArrayBuffer> = new Uint32Array(INITIAL_RANGES);
  count = 0;
  /** By number of a length: its key (see `lengthKey`). */
  readonly lengthKeys: number[] = [];
  /** By number of a length: how many ranges have it. */
  readonly lengthCounts: number[] = [];
  /** `words` for each range that has `NO_LENGTH`: the address behind it. */
  readonly ends: number[] = [];
  readonly #lengthNumbers = new NumberMap(hashLength);
  readonly #placeOf: (pointer: number) => number;
  /** The range that goes on; -1: none does. */
  #place = -1;
  readonly #start: Uint32Array;

  constructor(words: 1 | 4, placeOf: (pointer: number) => number) {
    this.words = words;
    this.#placeOf = placeOf;
    this.#start = new Uint32Array(words);
  }

  readonly onLeaf: OnLeaf = (address, pointer) => {
    const place = this.#placeOf(pointer);
    if (place === this.#place) return;
    if (this.#place >= 0) this.#add(address);
    for (let word = 0; word < this.words; word += 1) this.#start[word] = address[word] ?? 0;
    this.#place = place;
  };

  /** After the last leaf. */
  finish(): void {
    if (this.#place >= 0) this.#add(new Uint32Array(this.words));
  }

  /** `end`: the address behind the range; all zeros behind the very last address there is. */
  #add(end: Uint32Array): void {
    const index = this.count;
    if (index % RANGES_PER_BLOCK === 0) this.#beginBlock(index / RANGES_PER_BLOCK);
    if (index === this.places.length) {
      this.places = grown(this.places, index + 1);
      this.lengths = grown(this.lengths, index + 1);
    }
    this.places[index] = this.#place;
    this.lengths[index] = this.#lengthOf(end);
    this.count += 1;
  }

  #beginBlock(block: number): void {
    this.starts = grown(this.starts, (block + 1) * this.words);
    this.starts.set(this.#start, block * this.words);
  }

  #lengthOf(end: Uint32Array): number {
    const key = lengthKey(this.#start, end);
    if (key < 0) {
      this.ends.push(...end);
      return NO_LENGTH;
    }
    let number = this.#lengthNumbers.get(key);
    if (number < 0) {
      number = this.lengthKeys.length;
      this.lengthKeys.push(key);
      this.lengthCounts.push(0);
      this.#lengthNumbers.set(key, number);
    }
    this.lengthCounts[number] = (this.lengthCounts[number] ?? 0) + 1;
    return number;
  }
}

/**
 * The length of a range, mantissa × 2^exponent, as mantissa × 256 + exponent; -1: the mantissa is
 * too large, or the range is all addresses there are.
 */
export function lengthKey(start: Uint32Array, end: Uint32Array): number {
  let borrow = 0;
  let exponent = 0;
  let mantissa = 0;
  // From the lowest word up, as on paper.
  for (let word = start.length - 1; word >= 0; word -= 1) {
    const value = (end[word] ?? 0) - (start[word] ?? 0) - borrow;
    borrow = value < 0 ? 1 : 0;
    if (value === 0) continue;
    const digit = value + borrow * 2 ** 32;
    if (digit === 0) continue;
    const bit = 32 * (start.length - 1 - word);
    if (mantissa === 0) {
      const zeros = 31 - Math.clz32(digit & -digit);
      exponent = bit + zeros;
      mantissa = digit >>> zeros;
    } else mantissa += digit * 2 ** (bit - exponent);
    if (mantissa > MANTISSA_MAX) return -1;
  }
  return mantissa === 0 ? -1 : mantissa * 256 + exponent;
}

function hashLength(key: number): number {
  const mixed = Math.imul((key | 0) ^ Math.imul((key / 2 ** 32) | 0, 0x85ebca6b), 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
}

function grown(numbers: Uint32Array<ArrayBuffer>, length: number): Uint32Array<ArrayBuffer> {
  if (length <= numbers.length) return numbers;
  const larger = new Uint32Array(2 * length);
  larger.set(numbers);
  return larger;
}
