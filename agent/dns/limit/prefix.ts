import { parsePeerAddress } from '../address.ts';

/** Neighbours that are counted as one: who forges addresses can forge those, too. */
export const PREFIX_BITS = { ipv4: 24, ipv6: 56 } as const;
/** The most that `writePrefix` writes. */
export const PREFIX_BYTES_MAX = 12;

const IPV6_BYTES = PREFIX_BITS.ipv6 / 8;
const [DOT, COLON] = [0x2e, 0x3a];

/**
 * Writes a client's prefix to `key` from offset `at` on, so that no other one is written alike;
 * returns the offset after it. `address` is text as sockets give it: this is asked for every query,
 * so the common forms are read without making anything.
 */
export function writePrefix(address: string, key: Buffer, at: number): number {
  if (address.includes(':')) {
    if (!writeIpv6(address, key, at)) writeParsed(address, key, at);
    return at + IPV6_BYTES;
  }
  // The /24 is what stands before the last dot.
  const end = Math.min(address.lastIndexOf('.'), PREFIX_BYTES_MAX - 1);
  for (let index = 0; index < end; index += 1) key[at + index] = address.charCodeAt(index);
  const after = at + Math.max(0, end);
  key[after] = DOT;
  return after + 1;
}

/** Hexadecimal groups with `::` at most; false: it is of another form, and `key` holds anything. */
function writeIpv6(address: string, key: Buffer, at: number): boolean {
  key.fill(0, at, at + 8);
  let group = 0;
  let groups = 0;
  let gapAt = -1;
  for (let index = 0; index <= address.length; index += 1) {
    const code = index === address.length ? COLON : address.charCodeAt(index);
    if (code !== COLON) {
      const digit = hexDigit(code);
      if (digit < 0) return false;
      group = (group << 4) | digit;
      continue;
    }
    if (index > 0 && address.charCodeAt(index - 1) !== COLON) {
      // After the gap only the count matters, unless it reaches into the prefix.
      if (gapAt < 0 && groups < 4) key.writeUInt16BE(group & 0xffff, at + 2 * groups);
      groups += 1;
      group = 0;
    } else if (index > 0 && index < address.length) gapAt = groups;
  }
  return gapAt < 0 ? groups === 8 : groups - gapAt <= 4;
}

/** IPv4 within IPv6, a zone (`%eth0`), groups that reach from the end into the prefix. */
function writeParsed(address: string, key: Buffer, at: number): void {
  const bytes = parsePeerAddress(address) ?? new Uint8Array(16);
  key.fill(0, at, at + IPV6_BYTES);
  const kept = bytes.length === 4 ? PREFIX_BITS.ipv4 / 8 : IPV6_BYTES;
  key.set(bytes.subarray(0, kept), at);
}

/** -1: none. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
