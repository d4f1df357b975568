/**
 * The parts one behind the other, in memory of their own: for what is kept. Small Buffers of Node's
 * share a slab of `Buffer.poolSize` (64 KiB), and each of them keeps all of that alive.
 */
export function ownBytes(...parts: readonly Uint8Array[]): Buffer {
  const own = Buffer.alloc(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    own.set(part, at);
    at += part.length;
  }
  return own;
}
