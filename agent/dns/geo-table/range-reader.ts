import { LITERAL_END, RANGES_PER_BLOCK, type RangeSection } from './format.ts';

/**
 * Finds the range that an address lies in: a search for the block, then a walk through its codes.
 * The codes of a damaged table lead to some place or none, never out of the table.
 */
export class RangeReader {
  /** What was found last: where the range begins, and the address behind it (zeros: none is). */
  readonly start: Uint32Array;
  readonly end: Uint32Array;
  readonly #section: RangeSection;
  readonly #blocks: number;
  /** Places of the latest ranges. */
  readonly #recent: Uint32Array = new Uint32Array(16);
  #at = 0;

  constructor(section: RangeSection) {
    this.#section = section;
    this.#blocks = section.offsets.length - 1;
    this.start = new Uint32Array(section.words);
    this.end = new Uint32Array(section.words);
  }

  /** The number of its place. */
  find(address: Uint32Array): number {
    const { offsets, codes, rangeCount, words, starts } = this.#section;
    const block = this.#blockOf(address);
    const count = Math.min(RANGES_PER_BLOCK, rangeCount - block * RANGES_PER_BLOCK);
    this.#at = offsets[block] ?? 0;
    for (let word = 0; word < words; word += 1) this.end[word] = starts[block * words + word] ?? 0;
    for (let index = 0; ; index += 1) {
      const code = codes[this.#at] ?? 0;
      this.#at += 1;
      const back = code & 15;
      const place = back === 0 ? this.#varint() : (this.#recent[(index - back - 1) & 15] ?? 0);
      this.#recent[index & 15] = place;
      for (let word = 0; word < words; word += 1) this.start[word] = this.end[word] ?? 0;
      if (index >= count - 1) {
        this.#endAtBlock(block + 1);
        return place;
      }
      this.#advance(code >>> 4);
      if (isBelow(address, this.end)) return place;
    }
  }

  /** The last one that does not begin behind the address. */
  #blockOf(address: Uint32Array): number {
    let low = 0;
    let high = this.#blocks - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#beginsBehind(middle, address)) high = middle - 1;
      else low = middle;
    }
    return low;
  }

  #beginsBehind(block: number, address: Uint32Array): boolean {
    const { words, starts } = this.#section;
    for (let word = 0; word < words; word += 1) {
      const start = starts[block * words + word] ?? 0;
      const own = address[word] ?? 0;
      if (start !== own) return start > own;
    }
    return false;
  }

  #endAtBlock(block: number): void {
    const { words, starts } = this.#section;
    for (let word = 0; word < words; word += 1) {
      this.end[word] = block < this.#blocks ? (starts[block * words + word] ?? 0) : 0;
    }
  }

  /** Moves `end` on by a range's length. */
  #advance(lengthCode: number): void {
    const { lengths, codes } = this.#section;
    if (lengthCode > 0) {
      this.#add(lengths[2 * lengthCode - 2] ?? 0, lengths[2 * lengthCode - 1] ?? 0);
      return;
    }
    const exponent = codes[this.#at] ?? 0;
    this.#at += 1;
    if (exponent !== LITERAL_END) {
      this.#add(this.#varint(), exponent);
      return;
    }
    for (let word = 0; word < this.end.length; word += 1) {
      const at = this.#at + 4 * word;
      const high = ((codes[at] ?? 0) << 8) | (codes[at + 1] ?? 0);
      this.end[word] = (high << 16) | ((codes[at + 2] ?? 0) << 8) | (codes[at + 3] ?? 0);
    }
    this.#at += 4 * this.end.length;
  }

  /** `mantissa` × 2^`exponent`, the mantissa of 31 bits at most: it touches two words. */
  #add(mantissa: number, exponent: number): void {
    const shifted = mantissa * (POWERS[exponent & 31] ?? 1);
    let word = this.end.length - 1 - (exponent >>> 5);
    let carry = Math.floor(shifted / WORD);
    const sum = (this.end[word] ?? 0) + (shifted - carry * WORD);
    // What is more than a word falls off as it is written.
    this.end[word] = sum;
    if (sum >= WORD) carry += 1;
    for (word -= 1; carry > 0 && word >= 0; word -= 1) {
      const next = (this.end[word] ?? 0) + carry;
      this.end[word] = next;
      carry = next >= WORD ? 1 : 0;
    }
  }

  #varint(): number {
    const { codes } = this.#section;
    let value = 0;
    let unit = 1;
    for (let count = 0; count < 5; count += 1) {
      const byte = codes[this.#at] ?? 0;
      this.#at += 1;
      value += (byte & 127) * unit;
      if (byte < 128) break;
      unit *= 128;
    }
    return value;
  }
}

const WORD = 2 ** 32;
const POWERS: Float64Array = Float64Array.from({ length: 32 }, (_, bits) => 2 ** bits);

function isBelow(address: Uint32Array, end: Uint32Array): boolean {
  for (let word = 0; word < address.length; word += 1) {
    const own = address[word] ?? 0;
    const other = end[word] ?? 0;
    if (own !== other) return own < other;
  }
  return false;
}
