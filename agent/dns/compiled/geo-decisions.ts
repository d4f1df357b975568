/** One way in which a geo answer can come out; the same object for the same way. */
export interface Choice {
  /** For people who debug. */
  readonly key: string;
}

export interface Decision {
  readonly choice: Choice;
  /** How many bits of the address it holds for (RFC 7871 §7.2.1). */
  readonly scopeBits: number;
}

/** The four words of an address; IPv4 has only the first. Filled again for each query. */
export interface AddressWords {
  w0: number;
  w1: number;
  w2: number;
  w3: number;
  /** Bits that an address of its family has: 32 or 128. */
  bits: number;
}

/** Who asks, and for what. */
export interface DecisionKey {
  /** Of geo names with the same candidates and policy. */
  readonly group: number;
  readonly address: AddressWords;
  /** Bits of the address that are known. */
  readonly knownBits: number;
}

/** Decisions that are kept, of all geo names together: two in each set. */
const SLOTS = 65_536;
/** Words of a slot: the address, the group, and four small numbers. */
const WORDS = 6;
/** Clients that share this much are looked for in one set. */
const INDEX_BITS = { ipv4: 24, ipv6: 48 } as const;

/**
 * Which choice was made for whom. A newer decision takes the place of an older one, so memory never
 * grows: it is one flat table of 2 MB, made when the first decision is kept.
 */
export class GeoDecisions {
  #words: Uint32Array = new Uint32Array(0);
  #choices: (Choice | undefined)[] = [];

  find(key: DecisionKey): Decision | undefined {
    if (this.#choices.length === 0) return undefined;
    const first = indexOf(key);
    for (let slot = first; slot < first + 2; slot += 1) {
      if (this.#matches(slot * WORDS, key)) {
        const choice = this.#choices[slot];
        const scopeBits = (this.#words[slot * WORDS + 5] ?? 0) >>> 24;
        return choice && { choice, scopeBits };
      }
    }
    return undefined;
  }

  keep(key: DecisionKey, { choice, scopeBits }: Decision): void {
    if (this.#choices.length === 0) {
      this.#words = new Uint32Array(SLOTS * WORDS);
      this.#choices = Array.from({ length: SLOTS });
    }
    const { group, address, knownBits } = key;
    const { w0, w1, w2, w3, bits } = address;
    const indexBits = bits === 32 ? INDEX_BITS.ipv4 : INDEX_BITS.ipv6;
    // A scope as long as what is known says nothing of others: they must be the very same.
    const matchBits = scopeBits < knownBits ? Math.max(scopeBits, indexBits) : bits;
    const small = ((scopeBits << 24) | (matchBits << 16) | (knownBits << 8) | bits) >>> 0;
    const slot = indexOf(key);
    this.#words.copyWithin((slot + 1) * WORDS, slot * WORDS, (slot + 1) * WORDS);
    this.#choices[slot + 1] = this.#choices[slot];
    this.#words.set([w0, w1, w2, w3, group, small], slot * WORDS);
    this.#choices[slot] = choice;
  }

  #matches(at: number, { group, address, knownBits }: DecisionKey): boolean {
    const words = this.#words;
    const small = words[at + 5] ?? 0;
    const { w0, w1, w2, w3, bits } = address;
    if (words[at + 4] !== group || (small & 0xffff) !== ((knownBits << 8) | bits)) return false;
    const matchBits = (small >>> 16) & 0xff;
    if (differs((words[at] ?? 0) ^ w0, matchBits)) return false;
    if (bits === 32) return true;
    if (differs((words[at + 1] ?? 0) ^ w1, matchBits - 32)) return false;
    if (differs((words[at + 2] ?? 0) ^ w2, matchBits - 64)) return false;
    return !differs((words[at + 3] ?? 0) ^ w3, matchBits - 96);
  }
}

/** The first slot of the set. */
function indexOf({ group, address, knownBits }: DecisionKey): number {
  const { w0, w1, bits } = address;
  const prefix = bits === 32 ? w0 >>> 8 : w0 ^ Math.imul(w1 >>> 16, 0x9e3779b1);
  let hash = Math.imul(prefix ^ Math.imul(group + 1, 0x85ebca6b), 0xc2b2ae35) ^ knownBits;
  hash ^= hash >>> 15;
  return (Math.imul(hash, 0x2c1b3c6d) >>> 12) & (SLOTS - 2);
}

/** Whether any of the first `bits` of 32 is set. */
function differs(difference: number, bits: number): boolean {
  if (bits <= 0) return false;
  return bits >= 32 ? difference !== 0 : difference >>> (32 - bits) !== 0;
}
