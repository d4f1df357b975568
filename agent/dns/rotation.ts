import { maskAddress } from './address.ts';

/** Clients that share this much are taken for one place, so that a household keeps its node. */
const PREFIX_BITS = { ipv4: 24, ipv6: 48 } as const;

/**
 * Orders names for one client by highest random weight (rendezvous hashing): each client prefix has
 * its own fixed order, prefixes spread evenly, and a name that goes away moves only its own clients.
 */
export function rotationOrder<Item extends { readonly name: string }>(
  items: readonly Item[],
  client: Uint8Array,
): readonly Item[] {
  const bits = client.length === 4 ? PREFIX_BITS.ipv4 : PREFIX_BITS.ipv6;
  const seed = hash(maskAddress(client, bits), 0x811c9dc5);
  return items
    .map((item) => ({ item, weight: mix(hash(Buffer.from(item.name), seed)) }))
    .toSorted((a, b) => b.weight - a.weight || (a.item.name < b.item.name ? -1 : 1))
    .map(({ item }) => item);
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
