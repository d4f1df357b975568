/** One way in which a geo answer can come out; the same object for the same way. */
export interface Choice {
  /** For people who debug. */
  readonly key: string;
}

/** Kept as it is: whoever makes them makes one for all that are alike. */
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

/** Who asks, and for what. Filled again for each query. */
export interface DecisionKey {
  /** Of geo names with the same candidates and policy. */
  group: number;
  readonly address: AddressWords;
  /** Bits of the address that are known. */
  knownBits: number;
}

/** Decisions that are kept at most, of all geo names together. */
const SLOTS_MAX = 65_536;
/** What a table begins with: most are thrown away soon, with the snapshot that they are of. */
const SLOTS_MIN = 512;
/**
 * Slots that a client's decision may be in. With two, one of fifty clients of a table a third full
 * was forgotten for another, again and again, and each costs as much as fifty answers.
 */
const SET = 4;
/** Of the slots, more than so many are kept in a larger table. */
const FILLED = 1 / 4;
/** Words of a slot: the address, the group, and four small numbers. */
const WORDS = 6;
/** Clients that share this much are looked for in one set. */
const INDEX_BITS = { ipv4: 24, ipv6: 48 } as const;

/**
 * Which choice was made for whom. One flat table that grows to 2 MB; from then on a newer decision
 * takes the place of an older one.
 */
export class GeoDecisions {
  #words: Uint32Array = new Uint32Array(0);
  /** By slot; the same object for the same decision. */
  #decisions: (Decision | undefined)[] = [];
  #kept = 0;

  find(key: DecisionKey): Decision | undefined {
    const slots = this.#decisions.length;
    if (slots === 0) return undefined;
    const first = indexOf(key, slots);
    for (let slot = first; slot < first + SET; slot += 1) {
      if (this.#matches(slot * WORDS, key)) return this.#decisions[slot];
    }
    return undefined;
  }

  keep(key: DecisionKey, decision: Decision): void {
    const { scopeBits } = decision;
    const slots = this.#decisions.length;
    this.#kept += 1;
    if (this.#kept > FILLED * slots && slots < SLOTS_MAX) this.#grow();
    const { group, address, knownBits } = key;
    const { w0, w1, w2, w3, bits } = address;
    const indexBits = bits === 32 ? INDEX_BITS.ipv4 : INDEX_BITS.ipv6;
    // A scope as long as what is known says nothing of others: they must be the very same.
    const matchBits = scopeBits < knownBits ? Math.max(scopeBits, indexBits) : bits;
    const small = ((scopeBits << 24) | (matchBits << 16) | (knownBits << 8) | bits) >>> 0;
    this.#put(indexOf(key, this.#decisions.length), [w0, w1, w2, w3, group, small], decision);
  }

  /** As the newest of its set; the oldest goes. */
  #put(slot: number, words: ArrayLike<number>, decision: Decision | undefined): void {
    this.#words.copyWithin((slot + 1) * WORDS, slot * WORDS, (slot + SET - 1) * WORDS);
    this.#decisions.copyWithin(slot + 1, slot, slot + SET - 1);
    this.#words.set(words, slot * WORDS);
    this.#decisions[slot] = decision;
  }

  #grow(): void {
    const [words, decisions] = [this.#words, this.#decisions];
    const slots = Math.min(SLOTS_MAX, Math.max(SLOTS_MIN, 4 * decisions.length));
    this.#words = new Uint32Array(slots * WORDS);
    this.#decisions = Array.from({ length: slots });
    // The oldest of each set first.
    for (let at = 0; at < decisions.length; at += 1) {
      const slot = at ^ (SET - 1);
      const decision = decisions[slot];
      if (decision === undefined) continue;
      const own = words.subarray(slot * WORDS, (slot + 1) * WORDS);
      this.#put(indexOf(keyOf(own), slots), own, decision);
    }
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

/** Whom the decision in these words of a slot is for. */
function keyOf([w0 = 0, w1 = 0, w2 = 0, w3 = 0, group = 0, small = 0]: Uint32Array): DecisionKey {
  const address = { w0, w1, w2, w3, bits: small & 0xff };
  return { group, address, knownBits: (small >>> 8) & 0xff };
}

/** The first slot of the set, in a table of so many. */
function indexOf({ group, address, knownBits }: DecisionKey, slots: number): number {
  const { w0, w1, bits } = address;
  const prefix = bits === 32 ? w0 >>> 8 : w0 ^ Math.imul(w1 >>> 16, 0x9e3779b1);
  let hash = Math.imul(prefix ^ Math.imul(group + 1, 0x85ebca6b), 0xc2b2ae35) ^ knownBits;
  hash ^= hash >>> 15;
  return (Math.imul(hash, 0x2c1b3c6d) >>> 12) & (slots - SET);
}

/** Whether any of the first `bits` of 32 is set. */
function differs(difference: number, bits: number): boolean {
  if (bits <= 0) return false;
  return bits >= 32 ? difference !== 0 : difference >>> (32 - bits) !== 0;
}
