import { blobPath, type Digest, digestOf } from '../../../runtime/content/digest.ts';
import { type DiskReader, LENT_BYTES_MAX } from '../../../runtime/disk/disk-reader.ts';
import type { MemoryCache } from './memory-cache.ts';

/** Told of a blob that could not be read as what its name says. Must not throw. */
export type OnDamaged = (blob: Digest) => void;

export interface BlobRange {
  readonly digest: Digest;
  /** Of the whole blob. */
  readonly sizeBytes: number;
  /** Inclusive. */
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

/**
 * Bytes at once when they are in memory; otherwise a promise for bytes or for a stream. `lentBytesMax`:
 * of a blob that is no longer, what comes at once may lie in memory that the next call uses again;
 * left out: it never does.
 */
export type BlobSource = (
  range: BlobRange,
  lentBytesMax?: number,
) => Uint8Array | Promise<Uint8Array | AsyncIterable<Uint8Array>>;

/**
 * Reads blobs: small ones through the memory cache, large ones piece by piece from disk, as fast
 * as the reader takes them.
 *
 * A small blob is checked against its digest as it enters memory, so that a disk gone bad costs
 * an error and never a wrong byte that is then served until the next restart.
 * Errors: an absent, short or changed blob rejects, or ends the stream with an error.
 */
export function createBlobSource(
  disk: DiskReader,
  cache: MemoryCache,
  onDamaged: OnDamaged,
): BlobSource {
  // Many first requests for one file read it once.
  const loading = new Map<Digest, Promise<Uint8Array>>();

  function load(
    { digest, sizeBytes }: BlobRange,
    lentBytesMax: number,
  ): Uint8Array | Promise<Uint8Array> {
    const ongoing = loading.get(digest);
    if (ongoing !== undefined) return ongoing;
    const isLent = sizeBytes <= Math.min(lentBytesMax, LENT_BYTES_MAX);
    const found = disk.read(blobPath(digest), isLent ? { sizeBytes } : undefined);
    if (found instanceof Promise) return loadLate(digest, found);
    try {
      return keep(digest, found, isLent ? 'lent' : 'own');
    } catch (error) {
      onDamaged(digest);
      return Promise.reject(error as Error);
    }
  }

  function loadLate(digest: Digest, found: Promise<Uint8Array | undefined>): Promise<Uint8Array> {
    const promise = found
      .then((bytes) => keep(digest, bytes))
      .catch((error: unknown) => {
        onDamaged(digest);
        throw error;
      })
      .finally(() => loading.delete(digest));
    loading.set(digest, promise);
    return promise;
  }

  function keep(
    digest: Digest,
    found: Uint8Array | undefined,
    memory?: 'own' | 'lent',
  ): Uint8Array {
    const bytes = verified(digest, found);
    cache.put(digest, bytes, memory);
    return bytes;
  }

  return (range, lentBytesMax = 0) => {
    const { digest, sizeBytes, start, end } = range;
    const cached = cache.get(digest);
    if (cached !== undefined) return cached.subarray(start, end);
    if (sizeBytes > cache.limits.fileBytesMax) return openStream(disk, range, onDamaged);
    const loaded = load(range, lentBytesMax);
    return loaded instanceof Promise
      ? loaded.then((bytes) => bytes.subarray(start, end))
      : loaded.subarray(start, end);
  };
}

/** The whole blob. Rejects when it is absent or not what its name says. */
export async function readVerified(disk: DiskReader, digest: Digest): Promise<Uint8Array> {
  return verified(digest, await disk.read(blobPath(digest)));
}

function verified(digest: Digest, bytes: Uint8Array | undefined): Uint8Array {
  if (bytes === undefined) throw new Error(`read blob ${digest}: it is not on disk`);
  if (digestOf(bytes) !== digest) throw new Error(`read blob ${digest}: its content has changed`);
  return bytes;
}

/** It is held until it can be sent, which a client may put off for as long as it likes. */
const FIRST_BYTES_MAX = 1024;

/** Waits for the first piece: what cannot be opened is still answered with an error status. */
async function openStream(
  disk: DiskReader,
  range: BlobRange,
  onDamaged: OnDamaged,
): Promise<AsyncIterable<Uint8Array>> {
  const { digest, start, end } = range;
  const pieces = disk
    .stream(blobPath(digest), { start, end, memory: 'one piece' })
    [Symbol.asyncIterator]();
  try {
    const first = await pieces.next(FIRST_BYTES_MAX);
    return exactly(first, pieces, { ...range, onDamaged });
  } catch (error) {
    onDamaged(digest);
    throw error;
  }
}

async function* exactly(
  first: IteratorResult<Uint8Array>,
  rest: AsyncIterator<Uint8Array>,
  { digest, start, end, onDamaged }: BlobRange & { readonly onDamaged: OnDamaged },
): AsyncGenerator<Uint8Array> {
  let leftBytes = end - start;
  try {
    for (let piece = first; piece.done !== true; ) {
      leftBytes -= piece.value.length;
      if (leftBytes < 0) break;
      const bytesMax: unknown = yield piece.value;
      piece = await rest.next(bytesMax);
    }
    if (leftBytes !== 0) throw new Error(`read blob ${digest}: it is not as long as it should be`);
  } catch (error) {
    onDamaged(digest);
    throw error;
  } finally {
    // The reader may leave early: the file must be closed all the same.
    await rest.return?.();
  }
}
