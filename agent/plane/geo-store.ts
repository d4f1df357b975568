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

export interface GeoStoreParts {
  /** The whole database, verified. Rejects when it is not what its name says. */
  readonly read: (digest: Digest) => Promise<Uint8Array>;
  /** Told of each that could not be read. */
  readonly onDamaged: (blob: Digest) => void;
}

export function createGeoStore({ read, onDamaged }: GeoStoreParts): GeoStore {
  let held: readonly GeoBytes[] = [];
  return {
    async load(digests) {
      const databases: GeoBytes[] = [];
      const problems: string[] = [];
      for (const digest of digests) {
        try {
          const known = held.find((each) => each.digest === digest);
          databases.push(known ?? { digest, bytes: await read(digest) });
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
export async function readShared(
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
