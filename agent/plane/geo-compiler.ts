import { createHash } from 'node:crypto';
import { blobPath, type Digest, digestHex } from '../../runtime/content/digest.ts';
import type { Disk } from '../../runtime/disk/disk.ts';
import type { Workers } from '../../runtime/workers.ts';
import { compileGeoTable } from '../dns/geo-table/compile.ts';
import { GEO_TABLE_VERSION } from '../dns/geo-table/format.ts';

/** How compiling a database ended. `damaged`: the database is not what its name says, or not there. */
export type GeoOutcome =
  | { readonly kind: 'compiled' }
  | { readonly kind: 'damaged' | 'failed'; readonly error: string };

/**
 * Compiles a database of this node's disk to a table at `geoTablePath`, until `signal` is aborted.
 * Never rejects.
 */
export type CompileGeo = (digest: Digest, signal: AbortSignal) => Promise<GeoOutcome>;

/** What a process that compiles is told. */
export interface GeoJob {
  readonly kind: 'geo';
  readonly folder: string;
  readonly digest: Digest;
}

export const GEO_FOLDER = 'geo';

/** A table of another version has another name: none is ever taken for what it is not. */
export function geoTablePath(digest: Digest): string {
  return `${GEO_FOLDER}/${digestHex(digest)}-v${GEO_TABLE_VERSION}`;
}

/** Here and now: for the process that was started for it. */
export async function compileOnDisk(
  disk: Pick<Disk, 'stat' | 'stream' | 'write'>,
  digest: Digest,
): Promise<GeoOutcome> {
  try {
    const bytes = await readDatabase(disk, digest);
    if (bytes === undefined) {
      return { kind: 'damaged', error: `geography database ${digest} is not what its name says` };
    }
    await disk.write(geoTablePath(digest), compileGeoTable({ source: digest, bytes }));
    return { kind: 'compiled' };
  } catch (error) {
    return { kind: 'failed', error: describe(error) };
  }
}

/**
 * In a worker of its own, which ends with all the memory that it took: compiling takes some ten
 * times what the table does.
 */
export function compileInWorker(
  workersFor: (digest: Digest) => Workers<'geo', never, GeoOutcome>,
): CompileGeo {
  return (digest, signal) =>
    new Promise((resolve) => {
      const worker = workersFor(digest).spawn('geo', 0);
      const end = (): void => worker.terminate();
      signal.addEventListener('abort', end, { once: true });
      worker.onMessage(resolve);
      // After a word from it this changes nothing.
      worker.onExit((reason) => {
        signal.removeEventListener('abort', end);
        resolve({ kind: 'failed', error: `compile geography database ${digest}: ${reason}` });
      });
    });
}

/** Piece by piece, in one piece of memory. Undefined: absent, or not what its name says. */
async function readDatabase(
  disk: Pick<Disk, 'stat' | 'stream'>,
  digest: Digest,
): Promise<Uint8Array | undefined> {
  const entry = await disk.stat(blobPath(digest));
  if (entry === undefined) return undefined;
  const bytes = new Uint8Array(entry.sizeBytes);
  const hash = createHash('sha256');
  let filledBytes = 0;
  for await (const piece of disk.stream(blobPath(digest), { memory: 'one piece' })) {
    if (filledBytes + piece.length > bytes.length) return undefined;
    bytes.set(piece, filledBytes);
    hash.update(piece);
    filledBytes += piece.length;
  }
  return `sha256-${hash.digest('hex')}` === digest ? bytes : undefined;
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error ? `${error.message}: ${cause.message}` : error.message;
}
