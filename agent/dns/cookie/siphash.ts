export const KEY_BYTES = 16;

/** "somepseudorandomlygeneratedbytes", in halves, the low one before the high one. */
const INITIAL = [
  [0x70736575, 0x736f6d65],
  [0x6e646f6d, 0x646f7261],
  [0x6e657261, 0x6c796765],
  [0x79746573, 0x74656462],
] as const;
const ROUNDS_OF_BLOCK = 2;
const ROUNDS_AT_END = 4;

/**
 * SipHash-2-4 with 64 bits of output (Aumasson and Bernstein, "SipHash: a fast short-input PRF").
 * Numbers of 64 bits are kept as two halves, all in variables of their own: a bigint, or an array,
 * would cost more than the arithmetic.
 */
export class SipHash {
  readonly #key: readonly [number, number, number, number];

  /** `key` has 16 bytes. */
  constructor(key: Uint8Array) {
    if (key.length !== KEY_BYTES) throw new RangeError(`a SipHash key has 16, not ${key.length}`);
    const [a = 0, b = 0, c = 0, d = 0] = [0, 4, 8, 12].map((at) => wordAt(key, at, KEY_BYTES));
    this.#key = [a, b, c, d];
  }

  /** 8 bytes, in the order in which they are written (little endian). */
  hash(message: Uint8Array): Uint8Array {
    const hash = new Uint8Array(8);
    this.hashInto(message, message.length, hash);
    return hash;
  }

  /** Of the first `length` bytes, into the first 8 of `hash`; makes nothing. */
  hashInto(message: Uint8Array, length: number, hash: Uint8Array): void {
    const [lowA, highA, lowB, highB] = this.#key;
    let [v0, v0High] = [INITIAL[0][0] ^ lowA, INITIAL[0][1] ^ highA];
    let [v1, v1High] = [INITIAL[1][0] ^ lowB, INITIAL[1][1] ^ highB];
    let [v2, v2High] = [INITIAL[2][0] ^ lowA, INITIAL[2][1] ^ highA];
    let [v3, v3High] = [INITIAL[3][0] ^ lowB, INITIAL[3][1] ^ highB];
    // Blocks of 8 bytes, the last one short of a byte at least; then one turn without any.
    const blocks = (length >> 3) + 1;
    for (let block = 0; block <= blocks; block += 1) {
      const isEnd = block === blocks;
      const isLast = block === blocks - 1;
      const low = isEnd ? 0 : wordAt(message, 8 * block, length);
      const high = isEnd ? 0 : wordAt(message, 8 * block + 4, length);
      const top = isLast ? high | (length << 24) : high;
      v3 ^= low;
      v3High ^= top;
      if (isEnd) v2 ^= 0xff;
      for (let round = isEnd ? ROUNDS_AT_END : ROUNDS_OF_BLOCK; round > 0; round -= 1) {
        // A sum of 32 bits is less than what was added to if there is a carry.
        v0 = (v0 + v1) | 0;
        v0High = (v0High + v1High + (v0 >>> 0 < v1 >>> 0 ? 1 : 0)) | 0;
        let old = v1;
        v1 = ((v1 << 13) | (v1High >>> 19)) ^ v0;
        v1High = ((v1High << 13) | (old >>> 19)) ^ v0High;
        old = v0;
        v0 = v0High;
        v0High = old;
        v2 = (v2 + v3) | 0;
        v2High = (v2High + v3High + (v2 >>> 0 < v3 >>> 0 ? 1 : 0)) | 0;
        old = v3;
        v3 = ((v3 << 16) | (v3High >>> 16)) ^ v2;
        v3High = ((v3High << 16) | (old >>> 16)) ^ v2High;
        v0 = (v0 + v3) | 0;
        v0High = (v0High + v3High + (v0 >>> 0 < v3 >>> 0 ? 1 : 0)) | 0;
        old = v3;
        v3 = ((v3 << 21) | (v3High >>> 11)) ^ v0;
        v3High = ((v3High << 21) | (old >>> 11)) ^ v0High;
        v2 = (v2 + v1) | 0;
        v2High = (v2High + v1High + (v2 >>> 0 < v1 >>> 0 ? 1 : 0)) | 0;
        old = v1;
        v1 = ((v1 << 17) | (v1High >>> 15)) ^ v2;
        v1High = ((v1High << 17) | (old >>> 15)) ^ v2High;
        old = v2;
        v2 = v2High;
        v2High = old;
      }
      v0 ^= low;
      v0High ^= top;
    }
    writeWord(hash, 0, v0 ^ v1 ^ v2 ^ v3);
    writeWord(hash, 4, v0High ^ v1High ^ v2High ^ v3High);
  }
}

function writeWord(bytes: Uint8Array, at: number, word: number): void {
  bytes[at] = word;
  bytes[at + 1] = word >>> 8;
  bytes[at + 2] = word >>> 16;
  bytes[at + 3] = word >>> 24;
}

/** Four bytes, the lowest first; those from `end` on are zero. */
function wordAt(bytes: Uint8Array, at: number, end: number): number {
  if (at + 4 <= end) {
    return (
      (bytes[at] ?? 0) |
      ((bytes[at + 1] ?? 0) << 8) |
      ((bytes[at + 2] ?? 0) << 16) |
      ((bytes[at + 3] ?? 0) << 24)
    );
  }
  let word = 0;
  for (let index = at; index < end; index += 1) word |= (bytes[index] ?? 0) << (8 * (index - at));
  return word;
}
