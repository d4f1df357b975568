import type { SeededRandom } from '../engine/random.ts';

/** A blob travels in pieces of one of these sizes, so that the smallest ones can be cut as well. */
export const PIECES_BYTES = [100, 400, 4_000] as const;

export async function* inPieces(
  chunks: AsyncIterable<Uint8Array>,
  bytesMax: number,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks)
    for (let at = 0; at < chunk.length; at += bytesMax) yield chunk.slice(at, at + bytesMax);
}

/** One bit is another. */
export function damaged(piece: Uint8Array, random: SeededRandom): Uint8Array {
  const at = random.integer(0, piece.length - 1);
  return piece.with(at, (piece[at] ?? 0) ^ (1 << random.integer(0, 7)));
}
