import { pipeline, Readable } from 'node:stream';
import { constants, createGunzip, createInflateRaw, createZstdDecompress } from 'node:zlib';
import { archiveError } from './archive.ts';

/** How a stream of bytes is packed, as its first bytes tell. */
export type Packing = 'gzip' | 'zstd' | 'none';

/** An archive may unpack to this many times its size… */
const RATIO_MAX = 200;
/** …once this much came out: text of little sense packs well, and costs little. */
const RATIO_FREE_BYTES = 256 * 1024 * 1024;
/** A frame of Zstandard may ask for so much memory: 2^27 bytes, which its own tool allows. */
const ZSTD_WINDOW_LOG_MAX = 27;

/** What the first bytes of a file say it is; undefined: none that we know. */
export function packingOf(start: Uint8Array): Packing | 'zip' | 'bzip2' | 'xz' | undefined {
  const bytes = Buffer.from(start.buffer, start.byteOffset, start.byteLength);
  const found = MAGIC.find(({ hex }) => bytes.toString('hex', 0, hex.length / 2) === hex);
  if (found !== undefined) return found.packing;
  return bytes.toString('latin1', 257, 262) === 'ustar' || isOldTar(bytes) ? 'none' : undefined;
}

const MAGIC = [
  { hex: '1f8b', packing: 'gzip' },
  { hex: '28b52ffd', packing: 'zstd' },
  { hex: '504b0304', packing: 'zip' },
  // Without an entry.
  { hex: '504b0506', packing: 'zip' },
  { hex: '425a68', packing: 'bzip2' },
  { hex: 'fd377a585a00', packing: 'xz' },
] as const;

/** Before POSIX there was no magic; there was a checksum, in octal digits. */
function isOldTar(bytes: Buffer): boolean {
  return bytes.length >= 512 && /^[ 0-7]{6}/u.test(bytes.toString('latin1', 148, 154));
}

/** The bytes of a gzip or zstd stream, unpacked; refuses bombs. */
export function unpacked(
  label: string,
  chunks: AsyncIterable<Uint8Array>,
  packing: Packing,
): AsyncIterable<Uint8Array> {
  if (packing === 'none') return chunks;
  const unpack =
    packing === 'gzip'
      ? createGunzip()
      : createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX } });
  return bounded(label, chunks, unpack);
}

/** The bytes of a zip's entry (RFC 1951), unpacked. */
export function inflated(
  label: string,
  chunks: AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> {
  return bounded(label, chunks, createInflateRaw());
}

/** Throws where too much comes out of too little. */
export function refuseBomb(
  label: string,
  { inBytes, outBytes }: { readonly inBytes: number; readonly outBytes: number },
): void {
  if (outBytes <= RATIO_FREE_BYTES || outBytes <= inBytes * RATIO_MAX) return;
  throw archiveError(label, `it unpacks to more than ${RATIO_MAX} times its size`);
}

async function* bounded(
  label: string,
  chunks: AsyncIterable<Uint8Array>,
  unpack: NodeJS.ReadWriteStream & AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let inBytes = 0;
  const counted = (async function* () {
    for await (const chunk of chunks) {
      inBytes += chunk.byteLength;
      yield chunk;
    }
  })();
  // A failure comes out of the iteration below, too.
  pipeline(Readable.from(counted, { objectMode: false }), unpack, () => undefined);
  let outBytes = 0;
  try {
    for await (const chunk of unpack) {
      outBytes += chunk.byteLength;
      refuseBomb(label, { inBytes, outBytes });
      yield chunk;
    }
  } catch (error) {
    if (!isZlibError(error)) throw error;
    throw archiveError(label, `it is damaged or cut short (${error.message})`, error);
  }
}

function isZlibError(error: unknown): error is Error {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /^(?:Z_|ZSTD_|ERR__?ZLIB|ERR_ZSTD|ERR_STREAM_PREMATURE_CLOSE)/u.test(code);
}
