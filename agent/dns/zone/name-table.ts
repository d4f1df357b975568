import type { NameKey } from '../message/name.ts';

/** A name of a zone, and where the bytes of the zone's plan speak of it. */
export interface PlacedName {
  readonly key: NameKey;
  /** A record set whose owner is the name, or ends in it. */
  readonly witness: number;
  /** The record sets at the name; none where it exists only because names below it do. */
  readonly places: readonly number[];
}

/**
 * The names of a zone as numbers in one piece of memory: some 25 bytes a name, where a map takes
 * several hundred, and nothing that V8 has to look through. The names themselves are not in it: who
 * asks compares what is found with the witness.
 */
export class NameTable {
  /**
   * Slots (a row and one, or 0), then three words for each row and for the end (tag, witness, where
   * its places begin), then the places.
   */
  readonly #words: Int32Array;
  readonly #slots: number;
  readonly size: number;

  constructor(names: readonly PlacedName[]) {
    this.size = names.length;
    this.#slots = 2 ** Math.ceil(Math.log2(SLOTS_PER_NAME * names.length + 1));
    const placesAt = this.#slots + ROW_WORDS * (names.length + 1);
    const places = names.reduce((sum, name) => sum + name.places.length, 0);
    this.#words = new Int32Array(placesAt + places);
    let at = placesAt;
    for (const [row, name] of names.entries()) {
      const tag = tagOf(name.key);
      this.#words.set([tag, name.witness, at], this.#slots + ROW_WORDS * row);
      this.#words.set(name.places, at);
      at += name.places.length;
      this.#enter(tag, row);
    }
    this.#words.set([0, 0, at], this.#slots + ROW_WORDS * names.length);
  }

  /** The row of a name; -1: there is none. `isAt` tells by the witness whether a row is of it. */
  find(key: NameKey, isAt: (row: number) => boolean): number {
    const tag = tagOf(key);
    for (let slot = this.#firstSlot(tag); ; slot = (slot + 1) % this.#slots) {
      const row = this.#word(slot) - 1;
      if (row < 0) return -1;
      if (this.#word(this.#slots + ROW_WORDS * row) === tag && isAt(row)) return row;
    }
  }

  witness(row: number): number {
    return this.#word(this.#slots + ROW_WORDS * row + 1);
  }

  /** Of the name's key. */
  length(row: number): number {
    return this.#word(this.#slots + ROW_WORDS * row) & LENGTH_MASK;
  }

  places(row: number): Int32Array {
    const start = this.#slots + ROW_WORDS * row + 2;
    return this.#words.subarray(this.#word(start), this.#word(start + ROW_WORDS));
  }

  #enter(tag: number, row: number): void {
    let slot = this.#firstSlot(tag);
    while (this.#words[slot] !== 0) slot = (slot + 1) % this.#slots;
    this.#words[slot] = row + 1;
  }

  #firstSlot(tag: number): number {
    return (tag >>> LENGTH_BITS) % this.#slots;
  }

  #word(at: number): number {
    return this.#words[at] ?? 0;
  }
}

/** At most half to two thirds of the slots are taken, so that what is not there is soon missed. */
const SLOTS_PER_NAME = 1.5;
const ROW_WORDS = 3;
/** Names have up to 254 bytes (RFC 1035 §2.3.4). */
const LENGTH_BITS = 8;
const LENGTH_MASK = 0xff;

/** FNV-1a, folded to 24 bits, and the length. */
function tagOf(key: NameKey): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < key.length; index += 1) {
    hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193);
  }
  return ((hash ^ (hash >>> 24)) << LENGTH_BITS) | key.length;
}
