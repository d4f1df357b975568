import {
  BACK_MAX,
  LENGTHS,
  LITERAL_END,
  MANTISSA_MAX,
  RANGES_PER_BLOCK,
  type RangeSection,
} from './format.ts';
import { type Length, lengthOf, type Range } from './ranges.ts';

/** Of what grows with the ranges. */
const INITIAL_LENGTH = 4096;

/** Writes ranges as codes, block by block, as `format.ts` lays them out. */
export class RangeEncoder {
  readonly #words: 1 | 4;
  readonly #lengths: readonly Length[];
  readonly #codeOf: ReadonlyMap<number, number>;
  #codes = new Uint8Array(INITIAL_LENGTH);
  #codesLength = 0;
  #starts = new Uint32Array(INITIAL_LENGTH);
  #offsets = new Uint32Array(INITIAL_LENGTH);
  #rangeCount = 0;
  /** Places of the block that is being written. */
  readonly #block: number[] = [];

  constructor(words: 1 | 4, lengths: readonly Length[]) {
    this.#words = words;
    this.#lengths = lengths.slice(0, LENGTHS);
    this.#codeOf = new Map(
      this.#lengths.map(({ mantissa, exponent }, index) => [mantissa * 256 + exponent, index + 1]),
    );
  }

  add(range: Range): void {
    if (this.#rangeCount % RANGES_PER_BLOCK === 0) this.#beginBlock(range);
    this.#rangeCount += 1;
    const { place } = range;
    const back = this.#backTo(place);
    const length = lengthOf(range, MANTISSA_MAX);
    const lengthCode = length && this.#codeOf.get(length.mantissa * 256 + length.exponent);
    this.#byte(((lengthCode ?? 0) << 4) | back);
    if (back === 0) this.#varint(place);
    this.#block.push(place);
    if (lengthCode !== undefined) return;
    // The end of the last range of a block is where the next begins.
    if (this.#block.length === RANGES_PER_BLOCK) return;
    if (length === undefined) {
      this.#byte(LITERAL_END);
      for (const word of range.end) {
        for (const shift of [24, 16, 8, 0]) this.#byte((word >>> shift) & 255);
      }
    } else {
      this.#byte(length.exponent);
      this.#varint(length.mantissa);
    }
  }

  section(): RangeSection {
    const blocks = Math.ceil(this.#rangeCount / RANGES_PER_BLOCK);
    this.#offsets = grown(this.#offsets, blocks + 1);
    this.#offsets[blocks] = this.#codesLength;
    const lengths = new Uint32Array(2 * LENGTHS);
    lengths.set(this.#lengths.flatMap(({ mantissa, exponent }) => [mantissa, exponent]));
    return {
      ...{ words: this.#words, rangeCount: this.#rangeCount, lengths },
      starts: this.#starts.subarray(0, blocks * this.#words),
      offsets: this.#offsets.subarray(0, blocks + 1),
      codes: this.#codes.subarray(0, this.#codesLength),
    };
  }

  /** The code of a place that an earlier range of the block has; 0: none has it. */
  #backTo(place: number): number {
    const count = this.#block.length;
    for (let back = 2; back <= Math.min(BACK_MAX, count); back += 1) {
      if (this.#block[count - back] === place) return back - 1;
    }
    return 0;
  }

  #beginBlock({ start }: Range): void {
    const block = this.#rangeCount / RANGES_PER_BLOCK;
    this.#starts = grown(this.#starts, (block + 1) * this.#words);
    this.#starts.set(start, block * this.#words);
    this.#offsets = grown(this.#offsets, block + 1);
    this.#offsets[block] = this.#codesLength;
    this.#block.length = 0;
  }

  #byte(value: number): void {
    if (this.#codesLength === this.#codes.length) {
      const larger = new Uint8Array(2 * this.#codes.length);
      larger.set(this.#codes);
      this.#codes = larger;
    }
    this.#codes[this.#codesLength] = value;
    this.#codesLength += 1;
  }

  /** Seven bits a byte, the lowest first; the highest bit says that more follow. */
  #varint(value: number): void {
    let left = value;
    for (; left > 127; left = Math.floor(left / 128)) this.#byte((left % 128) | 128);
    this.#byte(left);
  }
}

function grown(numbers: Uint32Array<ArrayBuffer>, length: number): Uint32Array<ArrayBuffer> {
  if (length <= numbers.length) return numbers;
  const larger = new Uint32Array(2 * length);
  larger.set(numbers);
  return larger;
}
