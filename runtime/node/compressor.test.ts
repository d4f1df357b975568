import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { compressorCases } from '../content/compressor.case.ts';
import { COMPRESSED_TO_BYTES } from '../content/content-coding.ts';
import { nodeCompressor } from './compressor.ts';

const DECOMPRESS = { br: brotliDecompressSync, gzip: gunzipSync, zstd: zstdDecompressSync };

compressorCases({
  compressor: nodeCompressor(),
  expand: (coding, bytes) => DECOMPRESS[coding](bytes),
});

test('RFC 9659 §3: a zstd frame needs a window of at most 8 MB', async () => {
  const compressed = await nodeCompressor().compress('zstd', new Uint8Array(COMPRESSED_TO_BYTES));
  // RFC 8878 §3.1.1.1: of a single segment, the window is as long as the content.
  const descriptor = compressed[4] ?? 0;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const windowDescriptor = compressed[5] ?? 0;
  const base = 2 ** (10 + (windowDescriptor >> 3));
  const windowBytes = isSingleSegment
    ? COMPRESSED_TO_BYTES
    : base + (base / 8) * (windowDescriptor & 7);
  expect(windowBytes).toBeLessThanOrEqual(8 * 1024 * 1024);
});

test('the thread that asks is free meanwhile', async () => {
  const bytes = Buffer.from('abcdefgh'.repeat(50_000));
  let turns = 0;
  const compressing = nodeCompressor().compress('br', bytes);
  const done = compressing.then(() => 'done');
  while ((await Promise.race([done, new Promise((go) => setImmediate(go, 'turn'))])) === 'turn')
    turns += 1;
  expect(turns).toBeGreaterThan(0);
});
