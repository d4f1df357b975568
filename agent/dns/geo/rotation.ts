import { maskAddress } from './address.ts';

/** Clients that share this much are taken for one place, so that a household keeps its node. */
export const PREFIX_BITS = { ipv4: 24, ipv6: 48 } as const;

export interface Rotated {
  readonly name: string;
  /** Its share of first places, in proportion to the others'; above 0. Left out: 1. */
  readonly weight?: number | undefined;
}

/**
 * Orders names for one client by weighted rendezvous hashing: each client prefix has its own fixed
 * order, first places spread by weight, and a name that goes away moves only its own clients.
 */
export function rotationOrder<Item extends Rotated>(
  items: readonly Item[],
  client: Uint8Array,
): readonly Item[] {
  const bits = client.length === 4 ? PREFIX_BITS.ipv4 : PREFIX_BITS.ipv6;
  const seed = hash(maskAddress(client, bits), 0x811c9dc5);
  return items
    .map((item) => ({ item, rank: rankOf(item, seed) }))
    .toSorted((a, b) => a.rank - b.rank || (a.item.name < b.item.name ? -1 : 1))
    .map(({ item }) => item);
}

/** Exponentially distributed with rate `weight`: the least of several is each by its share. */
function rankOf({ name, weight = 1 }: Rotated, seed: number): number {
  const uniform = (mix(hash(Buffer.from(name), seed)) + 0.5) / 2 ** 32;
  return -Math.log(uniform) / weight;
}

/** FNV-1a, 32 bits. */
function hash(bytes: Uint8Array, seed: number): number {
  let state = seed;
  for (const byte of bytes) state = Math.imul(state ^ byte, 0x01000193);
  return state >>> 0;
}

/** The finish of MurmurHash3: lets every input bit reach the high bits that the order looks at. */
function mix(value: number): number {
  let state = value;
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  return (state ^ (state >>> 16)) >>> 0;
}
