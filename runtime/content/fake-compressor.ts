import type { Compressor } from './compressor.ts';
import { COMPRESSED_TO_BYTES, CONTENT_CODINGS, type ContentCoding } from './content-coding.ts';

/** Compresses only what repeats one byte, at once: for tests and the simulation. */
export const fakeCompressor: Compressor = {
  async compress(coding, bytes) {
    if (bytes.length > COMPRESSED_TO_BYTES) throw new RangeError(`${bytes.length} bytes`);
    return Buffer.concat([header(coding), runs(bytes)]);
  },
};

/** What was compressed. Throws a RangeError for bytes that `fakeCompressor` did not make. */
export function expandFake(coding: ContentCoding, bytes: Uint8Array): Uint8Array {
  const head = header(coding);
  if (!head.equals(bytes.subarray(0, head.length))) throw new RangeError(`it is no ${coding}`);
  const body = bytes.subarray(head.length);
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < body.length; at += 2)
    pieces.push(new Uint8Array(body[at] ?? 0).fill(body[at + 1] ?? 0));
  return Buffer.concat(pieces);
}

/** Of another length for each, so that each has another size. */
function header(coding: ContentCoding): Buffer {
  return Buffer.from(`${coding}${'.'.repeat(CONTENT_CODINGS.indexOf(coding))}\n`);
}

/** Pairs of a count and a byte. */
function runs(bytes: Uint8Array): Uint8Array {
  const pairs: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    const byte = bytes[at] ?? 0;
    let end = at + 1;
    while (end < bytes.length && bytes[end] === byte && end - at < 255) end += 1;
    pairs.push(end - at, byte);
    at = end;
  }
  return Uint8Array.from(pairs);
}
