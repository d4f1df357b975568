import type { ByteRange } from './range.ts';

export interface Parts {
  /** With its boundary. */
  readonly contentType: string;
  /** Of all that is sent. */
  readonly lengthBytes: number;
  readonly parts: readonly Part[];
  /** Comes last; ASCII. */
  readonly tail: string;
}

/** Bytes `start` (inclusive) to `end` (exclusive), behind their head, which is ASCII. */
export interface Part extends ByteRange {
  readonly head: string;
}

/**
 * Several ranges of a file in one body (RFC 9110 §14.6, §15.3.7.2). The boundary is made of the
 * file's own name by content: no file can hold it.
 */
export function planParts(
  ranges: readonly ByteRange[],
  file: { readonly etag: string; readonly sizeBytes: number; readonly contentType: string },
): Parts {
  const { etag, sizeBytes, contentType } = file;
  const boundary = `b8s-${etag.slice(1, -1)}`;
  const parts = ranges.map(({ start, end }, index): Part => {
    const head =
      `${index === 0 ? '' : '\r\n'}--${boundary}\r\ncontent-type: ${contentType}\r\n` +
      `content-range: bytes ${start}-${end - 1}/${sizeBytes}\r\n\r\n`;
    return { start, end, head };
  });
  const tail = `\r\n--${boundary}--\r\n`;
  const sizes = parts.map(({ head, start, end }) => head.length + end - start);
  return {
    contentType: `multipart/byteranges; boundary=${boundary}`,
    lengthBytes: sizes.reduce((sum, size) => sum + size, tail.length),
    parts,
    tail,
  };
}
