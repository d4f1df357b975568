/**
 * SipHash-2-4 with 64 bits of output (Aumasson and Bernstein, "SipHash: a fast short-input PRF").
 * Numbers of 64 bits are kept as two halves: a bigint would be an allocation for each step.
 */
export class SipHash {
  readonly #key: readonly [number, number, number, number];
  /** v0 to v3, the low half before the high one. */
  readonly #state: Int32Array = new Int32Array(8);

  /** `key` has 16 bytes. */
  constructor(key: Uint8Array) {
    if (key.length !== KEY_BYTES) throw new RangeError(`a SipHash key has 16, not ${key.length}`);
    this.#key = [wordAt(key, 0), wordAt(key, 4), wordAt(key, 8), wordAt(key, 12)];
  }

  /** 8 bytes, in the order in which they are written (little endian). */
  hash(message: Uint8Array): Uint8Array {
    const v = this.#state;
    const [lowA, highA, lowB, highB] = this.#key;
    for (const [index, constant] of INITIAL.entries()) v[index] = constant;
    for (const base of [0, 4]) {
      this.#mix(base, lowA, highA);
      this.#mix(base + 2, lowB, highB);
    }
    const whole = message.length & ~7;
    for (let offset = 0; offset < whole; offset += 8) {
      this.#absorb(wordAt(message, offset), wordAt(message, offset + 4));
    }
    const last = new Uint8Array(8);
    last.set(message.subarray(whole));
    last[7] = message.length;
    this.#absorb(wordAt(last, 0), wordAt(last, 4));
    this.#mix(4, 0xff, 0);
    for (let round = 0; round < 4; round += 1) sipRound(v);
    for (const half of [0, 1]) {
      const word = at(v, half) ^ at(v, half + 2) ^ at(v, half + 4) ^ at(v, half + 6);
      for (let byte = 0; byte < 4; byte += 1) last[4 * half + byte] = word >>> (8 * byte);
    }
    return last;
  }

  #absorb(low: number, high: number): void {
    this.#mix(6, low, high);
    sipRound(this.#state);
    sipRound(this.#state);
    this.#mix(0, low, high);
  }

  #mix(index: number, low: number, high: number): void {
    this.#state[index] = at(this.#state, index) ^ low;
    this.#state[index + 1] = at(this.#state, index + 1) ^ high;
  }
}

export const KEY_BYTES = 16;

/** "somepseudorandomlygeneratedbytes". */
const INITIAL = [
  0x70736575, 0x736f6d65, 0x6e646f6d, 0x646f7261, 0x6e657261, 0x6c796765, 0x79746573, 0x74656462,
] as const;

function sipRound(v: Int32Array): void {
  add(v, 0, 2);
  rotateAndMix(v, 2, 13, 0);
  swap(v, 0);
  add(v, 4, 6);
  rotateAndMix(v, 6, 16, 4);
  add(v, 0, 6);
  rotateAndMix(v, 6, 21, 0);
  add(v, 4, 2);
  rotateAndMix(v, 2, 17, 4);
  swap(v, 4);
}

/** `v[to] += v[from]`, modulo 2^64. */
function add(v: Int32Array, to: number, from: number): void {
  const low = (at(v, to) >>> 0) + (at(v, from) >>> 0);
  v[to] = low;
  v[to + 1] = at(v, to + 1) + at(v, from + 1) + (low > 0xffff_ffff ? 1 : 0);
}

/** `v[index] = rotl(v[index], bits) ^ v[other]`; `bits` is below 32. */
function rotateAndMix(v: Int32Array, index: number, bits: number, other: number): void {
  const low = at(v, index);
  const high = at(v, index + 1);
  v[index] = ((low << bits) | (high >>> (32 - bits))) ^ at(v, other);
  v[index + 1] = ((high << bits) | (low >>> (32 - bits))) ^ at(v, other + 1);
}

/** A rotation by 32 bits. */
function swap(v: Int32Array, index: number): void {
  const low = at(v, index);
  v[index] = at(v, index + 1);
  v[index + 1] = low;
}

function at(v: Int32Array, index: number): number {
  return v[index] ?? 0;
}

function wordAt(bytes: Uint8Array, offset: number): number {
  const byte = (index: number): number => (bytes[offset + index] ?? 0) << (8 * index);
  return byte(0) | byte(1) | byte(2) | byte(3);
}
