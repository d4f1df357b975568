import type { Digest } from '../../runtime/content/digest.ts';
import type { Disk } from '../../runtime/disk/disk.ts';
import { isWholeGeoTable } from '../dns/geo-table/table.ts';
import { GEO_FOLDER, type GeoOutcome, geoTablePath } from './geo-compiler.ts';
import type { GeoBytes } from './messages.ts';

/** Reads a file into memory that all threads see; undefined: there is none. May reject. */
export type ReadShared = (path: string) => Promise<Uint8Array | undefined>;

/** The geography in use, as compiled tables: each in memory once, however many threads look. */
export interface GeoStore {
  /**
   * Tables in the order given, as far as they are compiled; the rest is compiled meanwhile. Until
   * all are there those from before stay in use, and none is waited for: a nameserver that does not
   * know where its clients are answers all the same. What cannot be had is named in `problems`.
   */
  load(digests: readonly Digest[]): Promise<GeoLoad>;
}

export interface GeoLoad {
  readonly databases: readonly GeoBytes[];
  readonly problems: readonly string[];
}

export interface GeoStoreParts {
  readonly disk: Pick<Disk, 'list' | 'remove'>;
  readonly read: ReadShared;
  readonly compile: (digest: Digest) => Promise<GeoOutcome>;
  /** Told of each database that is not what its name says. */
  readonly onDamaged: (blob: Digest) => void;
  /** Told when a table is ready that `load` did not have. */
  readonly onReady: () => void;
}

export function createGeoStore({
  disk,
  read,
  compile,
  onDamaged,
  onReady,
}: GeoStoreParts): GeoStore {
  let held: readonly GeoBytes[] = [];
  let compiling: Promise<void> = Promise.resolve();
  const underWay = new Set<Digest>();
  const troubles = new Map<Digest, string>();

  async function compileNext(digest: Digest): Promise<void> {
    const outcome = await compile(digest);
    underWay.delete(digest);
    if (outcome.kind === 'compiled') {
      troubles.delete(digest);
      onReady();
      return;
    }
    troubles.set(digest, outcome.error);
    if (outcome.kind === 'damaged') onDamaged(digest);
  }

  /** One at a time, for each takes much memory. What has failed is tried again by the next load. */
  function compileLater(digest: Digest): void {
    if (underWay.has(digest)) return;
    underWay.add(digest);
    compiling = compiling.then(() => compileNext(digest));
  }

  return {
    async load(digests) {
      const problems = digests.flatMap((digest) => troubles.get(digest) ?? []);
      const found: GeoBytes[] = [];
      for (const digest of digests) {
        const known = held.find((each) => each.digest === digest);
        const bytes = known?.bytes ?? (await readTable(read, digest));
        if (bytes === undefined) compileLater(digest);
        else found.push({ digest, bytes });
      }
      const isWhole = found.length === digests.length;
      if (isWhole) await removeOthers(disk, digests);
      // Some are better than none, but not than those before.
      if (isWhole || held.length === 0) held = found;
      return { databases: held, problems };
    },
  };
}

/** Undefined: not there, of another version, or damaged: it can be compiled again. */
async function readTable(read: ReadShared, digest: Digest): Promise<Uint8Array | undefined> {
  const bytes = await read(geoTablePath(digest)).catch(() => undefined);
  return bytes !== undefined && isWholeGeoTable(bytes) ? bytes : undefined;
}

async function removeOthers(
  disk: Pick<Disk, 'list' | 'remove'>,
  digests: readonly Digest[],
): Promise<void> {
  const wanted = new Set(digests.map(geoTablePath));
  for (const { name } of await disk.list(GEO_FOLDER)) {
    const path = `${GEO_FOLDER}/${name}`;
    if (!wanted.has(path)) await disk.remove(path);
  }
}
