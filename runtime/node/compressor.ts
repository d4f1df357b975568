import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip, zstdCompress } from 'node:zlib';
import type { Compressor } from '../content/compressor.ts';
import { COMPRESSED_TO_BYTES, type ContentCoding } from '../content/content-coding.ts';
import { takeSlots } from '../slots.ts';

/** Of the four threads of the pool, which reads the disk, too. */
const AT_ONCE_MAX = 2;

/**
 * Compresses by Node's zlib, in its pool of threads; at once as many files as leave a core to who
 * has to answer.
 */
export function nodeCompressor(cores: number = availableParallelism()): Compressor {
  const inSlot = takeSlots(Math.max(1, Math.min(AT_ONCE_MAX, cores - 1)));
  return {
    async compress(coding, bytes) {
      if (bytes.length > COMPRESSED_TO_BYTES)
        throw new RangeError(`compress ${bytes.length} bytes: at most ${COMPRESSED_TO_BYTES}`);
      return inSlot(() => COMPRESS[coding](bytes));
    },
  };
}

const brotli = promisify(brotliCompress);
const zstd = promisify(zstdCompress);
const deflate = promisify<Uint8Array, object, Buffer>(gzip);

/** Results come in pieces of this size, each of which is a hop between threads. */
const CHUNK_BYTES = 64 * 1024;

const COMPRESS: Readonly<Record<ContentCoding, (bytes: Uint8Array) => Promise<Uint8Array>>> = {
  br: (bytes) =>
    brotli(bytes, {
      chunkSize: CHUNK_BYTES,
      params: {
        [constants.BROTLI_PARAM_QUALITY]: effortFor(bytes).br,
        [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
      },
    }),
  zstd: (bytes) =>
    zstd(bytes, {
      chunkSize: CHUNK_BYTES,
      // Without it the frame does not say how long its content is.
      pledgedSrcSize: bytes.length,
      params: {
        [constants.ZSTD_c_compressionLevel]: effortFor(bytes).zstd,
        // Clients need not remember more than 8 MB (RFC 9659 §3).
        [constants.ZSTD_c_windowLog]: WINDOW_LOG_MAX,
      },
    }),
  gzip: (bytes) => deflate(bytes, { chunkSize: CHUNK_BYTES, level: 9, memLevel: 9 }),
};

const WINDOW_LOG_MAX = 23;

/**
 * Small files get all the effort there is: they are most of a site, and what is asked for most. At
 * the highest a core does 0.8 MB of text a second, at the lowest 15, so that a GB of text takes
 * half an hour at worst.
 */
function effortFor({ length }: Uint8Array): { readonly br: number; readonly zstd: number } {
  if (length <= 64 * 1024) return { br: 11, zstd: 19 };
  if (length <= 512 * 1024) return { br: 10, zstd: 17 };
  return { br: 7, zstd: 12 };
}
