/**
 * HalfSipHash-1-3 with 64 bits of output, as two halves (Aumasson and Bernstein, "SipHash: a fast
 * short-input PRF"; the rounds are those of Linux's `hsiphash`). Whoever does not know the key
 * cannot choose inputs that share a place in a table.
 */
export class KeyedHash {
  readonly #key: Buffer;
  readonly #state: Int32Array = new Int32Array(4);
  /** Results of the last `hash`: 32 bits each, unsigned. */
  low = 0;
  high = 0;

  /** `key`: 8 secret bytes. */
  constructor(key: Uint8Array) {
    if (key.length !== HASH_KEY_BYTES) throw new RangeError(`a key has ${HASH_KEY_BYTES} bytes`);
    this.#key = Buffer.from(key);
  }

  /** Of the first `length` bytes; sets `low` and `high`, and allocates nothing. */
  hash(bytes: Uint8Array, length: number): void {
    const state = this.#state;
    const [key0, key1] = [this.#key.readInt32LE(0), this.#key.readInt32LE(4)];
    state[0] = key0;
    state[1] = key1 ^ 0xee;
    state[2] = key0 ^ 0x6c796765;
    state[3] = key1 ^ 0x74656462;
    const whole = length & ~3;
    for (let at = 0; at < whole; at += 4) absorb(state, wordAt(bytes, at, at + 4));
    absorb(state, (length << 24) | wordAt(bytes, whole, length));
    this.low = squeeze(state, 2, 0xee);
    this.high = squeeze(state, 1, 0xdd);
  }
}

export const HASH_KEY_BYTES = 8;

function wordAt(bytes: Uint8Array, start: number, end: number): number {
  let word = 0;
  for (let at = start; at < end; at += 1) word |= (bytes[at] ?? 0) << (8 * (at - start));
  return word;
}

function absorb(state: Int32Array, word: number): void {
  state[3] = (state[3] ?? 0) ^ word;
  round(state);
  state[0] = (state[0] ?? 0) ^ word;
}

function squeeze(state: Int32Array, at: number, mark: number): number {
  state[at] = (state[at] ?? 0) ^ mark;
  for (let count = 0; count < 3; count += 1) round(state);
  return ((state[1] ?? 0) ^ (state[3] ?? 0)) >>> 0;
}

function round(state: Int32Array): void {
  let [v0 = 0, v1 = 0, v2 = 0, v3 = 0] = [state[0], state[1], state[2], state[3]];
  v0 = (v0 + v1) | 0;
  v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
  v0 = (v0 << 16) | (v0 >>> 16);
  v2 = (v2 + v3) | 0;
  v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
  v0 = (v0 + v3) | 0;
  v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
  v2 = (v2 + v1) | 0;
  v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
  v2 = (v2 << 16) | (v2 >>> 16);
  state[0] = v0;
  state[1] = v1;
  state[2] = v2;
  state[3] = v3;
}
