/** Neighbours that are counted as one: who forges addresses can forge those, too. */
export const PREFIX_BITS = { ipv4: 24, ipv6: 56 } as const;
/** The most that `writePrefix` writes. */
export const PREFIX_BYTES_MAX = 1 + PREFIX_BITS.ipv6 / 8;

/**
 * Writes the prefix of a client's address (4 or 16 bytes) to `key` from offset `at` on, so that no
 * other one is written alike; returns the offset after it.
 */
export function writePrefix(address: Uint8Array, key: Buffer, at: number): number {
  const bits = address.length === 4 ? PREFIX_BITS.ipv4 : PREFIX_BITS.ipv6;
  const end = at + 1 + bits / 8;
  key[at] = bits;
  for (let to = at + 1; to < end; to += 1) key[to] = address[to - at - 1] ?? 0;
  return end;
}
