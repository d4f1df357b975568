import { BACK_MAX, LENGTHS, LITERAL_END, RANGES_PER_BLOCK, type RangeSection } from './format.ts';
import { NO_LENGTH, type RangeList } from './ranges.ts';

/** Of one range at most: its code, its place as a number, its end as an address. */
const RANGE_BYTES_MAX = 1 + 5 + 1 + 16;
const INITIAL_BYTES = 65_536;

/** Writes ranges as codes, block by block, as `format.ts` lays them out. */
export function encodeRanges(
  list: RangeList,
  /** What the table calls a place of the list. */
  numberOf: (place: number) => number,
): RangeSection {
  const { words, count, places, lengthKeys } = list;
  const common = commonestLengths(list);
  const lengthCodes = new Uint8Array(lengthKeys.length);
  for (const [index, length] of common.entries()) lengthCodes[length] = index + 1;
  const blocks = Math.ceil(count / RANGES_PER_BLOCK);
  const offsets = new Uint32Array(blocks + 1);
  const writer = new Writer();
  let literals = 0;
  for (let index = 0; index < count; index += 1) {
    const inBlock = index % RANGES_PER_BLOCK;
    if (inBlock === 0) {
      writer.reserve(RANGES_PER_BLOCK * RANGE_BYTES_MAX);
      offsets[index / RANGES_PER_BLOCK] = writer.length;
    }
    const length = list.lengths[index] ?? 0;
    const lengthCode = lengthCodes[length] ?? 0;
    const back = backTo(places, index, Math.min(BACK_MAX, inBlock));
    writer.byte((lengthCode << 4) | back);
    if (back === 0) writer.varint(numberOf(places[index] ?? 0));
    const end = literals;
    if (length === NO_LENGTH) literals += words;
    // The end of the last range of a block is where the next begins.
    if (lengthCode > 0 || inBlock === RANGES_PER_BLOCK - 1) continue;
    if (length === NO_LENGTH) {
      writer.byte(LITERAL_END);
      for (let word = 0; word < words; word += 1) writer.word(list.ends[end + word] ?? 0);
    } else {
      const key = lengthKeys[length] ?? 0;
      writer.byte(key % 256);
      writer.varint(Math.floor(key / 256));
    }
  }
  offsets[blocks] = writer.length;
  return {
    ...{ words, rangeCount: count, offsets, codes: writer.bytes() },
    starts: list.starts.subarray(0, blocks * words),
    lengths: lengthPairs(common.map((length) => lengthKeys[length] ?? 0)),
  };
}

/** Their numbers, `LENGTHS` at most. */
function commonestLengths({ lengthKeys, lengthCounts }: RangeList): readonly number[] {
  const [keys, counts] = [lengthKeys, lengthCounts];
  return [...keys.keys()]
    .sort((a, b) => (counts[b] ?? 0) - (counts[a] ?? 0) || (keys[a] ?? 0) - (keys[b] ?? 0))
    .slice(0, LENGTHS);
}

/** Each as mantissa and exponent; zeros after the last. */
function lengthPairs(keys: readonly number[]): Uint32Array {
  const pairs = new Uint32Array(2 * LENGTHS);
  pairs.set(keys.flatMap((key) => [Math.floor(key / 256), key % 256]));
  return pairs;
}

/** The code of a place that a range before has, `backMax` back at most; 0: none has it. */
function backTo(places: Uint32Array, index: number, backMax: number): number {
  const place = places[index];
  for (let back = 2; back <= backMax; back += 1) {
    if (places[index - back] === place) return back - 1;
  }
  return 0;
}

/** Bytes that follow one another; whoever writes reserves room first. */
class Writer {
  length = 0;
  #bytes: Uint8Array = new Uint8Array(INITIAL_BYTES);

  reserve(bytes: number): void {
    if (this.length + bytes <= this.#bytes.length) return;
    const larger = new Uint8Array(2 * this.#bytes.length);
    larger.set(this.#bytes);
    this.#bytes = larger;
  }

  byte(value: number): void {
    this.#bytes[this.length] = value;
    this.length += 1;
  }

  /** 32 bits, the highest first. */
  word(value: number): void {
    for (let shift = 24; shift >= 0; shift -= 8) this.byte(value >>> shift);
  }

  /** Seven bits a byte, the lowest first; the highest bit says that more follow. */
  varint(value: number): void {
    let left = value;
    for (; left > 127; left >>>= 7) this.byte((left & 127) | 128);
    this.byte(left);
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }
}
