import { describe, expect, test } from 'vitest';
import type { Compressor } from './compressor.ts';
import { COMPRESSED_TO_BYTES, CONTENT_CODINGS, type ContentCoding } from './content-coding.ts';

export interface CompressorScene {
  readonly compressor: Compressor;
  /** As a client does it. */
  readonly expand: (coding: ContentCoding, bytes: Uint8Array) => Uint8Array;
}

const TEXT = `${'<p>hello</p>'.repeat(50)}${' '.repeat(4000)}`;
const ALL_BYTES = Uint8Array.from({ length: 1024 }, (_, index) => (index * 151) % 256);

/** The contract of `Compressor`: every implementation passes it. */
export function compressorCases({ compressor, expand }: CompressorScene): void {
  describe.each(CONTENT_CODINGS)('%s', (coding) => {
    test.each([
      { what: 'text', bytes: Buffer.from(TEXT) },
      { what: 'nothing', bytes: new Uint8Array() },
      { what: 'one byte', bytes: Uint8Array.of(0) },
      { what: 'bytes of all kinds', bytes: ALL_BYTES },
      { what: 'a part of other bytes', bytes: Buffer.from(`xx${TEXT}xx`).subarray(2, -2) },
      { what: 'as much as can be', bytes: new Uint8Array(COMPRESSED_TO_BYTES) },
    ])('$what comes back as it was', async ({ bytes }) => {
      const compressed = await compressor.compress(coding, bytes);
      expect(Buffer.from(expand(coding, compressed)).equals(bytes)).toBe(true);
    });

    test('text becomes shorter, and the same each time', async () => {
      const bytes = Buffer.from(TEXT);
      const compressed = await compressor.compress(coding, bytes);
      expect(compressed.length).toBeLessThan(TEXT.length / 2);
      expect(await compressor.compress(coding, bytes)).toEqual(compressed);
    });

    test('more than can be is refused', async () => {
      const bytes = new Uint8Array(COMPRESSED_TO_BYTES + 1);
      await expect(compressor.compress(coding, bytes)).rejects.toThrow(RangeError);
    });
  });

  test('each coding is another one, and many asked for at once all come', async () => {
    const asked = Array.from({ length: 10 }, () => CONTENT_CODINGS).flat();
    const results = await Promise.all(
      asked.map(async (coding) => {
        const bytes = await compressor.compress(coding, Buffer.from(TEXT));
        return Buffer.from(bytes).toString('hex');
      }),
    );
    expect(new Set(results).size).toBe(CONTENT_CODINGS.length);
  });
}
