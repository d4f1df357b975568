import { createHash } from 'node:crypto';
import { blobPath, type Digest } from '../../runtime/digest.ts';
import type { Disk } from '../../runtime/disk.ts';
import type { GeoBytes } from './messages.ts';

/** The geography databases in use: each in memory once, however many threads look things up. */
export interface GeoStore {
  /**
   * In the order given. What cannot be read is left out and named in `problems`; if nothing can
   * be read, what was loaded before stays in use.
   */
  load(digests: readonly Digest[]): Promise<{
    readonly databases: readonly GeoBytes[];
    readonly problems: readonly string[];
  }>;
}

/** `onDamaged` is told of each that could not be read. */
export function createGeoStore(
  disk: Pick<Disk, 'stat' | 'stream'>,
  onDamaged: (blob: Digest) => void,
): GeoStore {
  let held: readonly GeoBytes[] = [];
  return {
    async load(digests) {
      const databases: GeoBytes[] = [];
      const problems: string[] = [];
      for (const digest of digests) {
        try {
          const known = held.find((each) => each.digest === digest);
          databases.push(known ?? { digest, bytes: await readShared(disk, digest) });
        } catch (error) {
          onDamaged(digest);
          problems.push(error instanceof Error ? error.message : String(error));
        }
      }
      if (databases.length > 0 || digests.length === 0) held = databases;
      return { databases: held, problems };
    },
  };
}

/** Piece by piece into memory that all threads see: a database is too big to be held twice. */
async function readShared(
  disk: Pick<Disk, 'stat' | 'stream'>,
  digest: Digest,
): Promise<Uint8Array> {
  const path = blobPath(digest);
  const entry = await disk.stat(path);
  if (entry === undefined) throw new Error(`read geography database ${digest}: it is not on disk`);
  const bytes = new Uint8Array(new SharedArrayBuffer(entry.sizeBytes));
  const hash = createHash('sha256');
  let filledBytes = 0;
  for await (const piece of disk.stream(path)) {
    bytes.set(piece, filledBytes);
    hash.update(piece);
    filledBytes += piece.length;
  }
  if (filledBytes !== bytes.length) throw new Error(`read geography database ${digest}: too short`);
  if (`sha256-${hash.digest('hex')}` !== digest)
    throw new Error(`read geography database ${digest}: its content has changed`);
  return bytes;
}
