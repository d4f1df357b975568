import type { AddressWords } from './geo-decisions.ts';

/** Reads the bytes from `at` to `end` of an address, zeros after them, into the words of `into`. */
export function readWords(bytes: Uint8Array, at: number, end: number, into: AddressWords): void {
  into.w0 = wordAt(bytes, at, end);
  if (end - at <= 4) {
    into.w1 = into.w2 = into.w3 = 0;
    return;
  }
  into.w1 = wordAt(bytes, at + 4, end);
  into.w2 = wordAt(bytes, at + 8, end);
  into.w3 = wordAt(bytes, at + 12, end);
}

export function addressBytes({ w0, w1, w2, w3, bits }: AddressWords): Uint8Array {
  const bytes = Buffer.alloc(16);
  for (const [index, value] of [w0, w1, w2, w3].entries()) bytes.writeUInt32BE(value, 4 * index);
  return Uint8Array.from(bytes.subarray(0, bits / 8));
}

/** Four bytes, zeros from `end` on, as an unsigned number. */
function wordAt(bytes: Uint8Array, at: number, end: number): number {
  const b0 = at < end ? (bytes[at] ?? 0) : 0;
  const b1 = at + 1 < end ? (bytes[at + 1] ?? 0) : 0;
  const b2 = at + 2 < end ? (bytes[at + 2] ?? 0) : 0;
  const b3 = at + 3 < end ? (bytes[at + 3] ?? 0) : 0;
  return ((b0 << 24) | (b1 << 16) | (b2 << 8) | b3) >>> 0;
}
