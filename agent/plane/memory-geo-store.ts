import type { Digest } from '../../runtime/content/digest.ts';
import { compileGeoTable } from '../dns/geo-table/compile.ts';
import type { GeoStore } from './geo-store.ts';
import type { GeoBytes } from './messages.ts';

/**
 * Compiles as part of `load` and keeps nothing on disk: for simulation and tests, where databases
 * are small. What cannot be read is left out and named in `problems`; if nothing can be read, what
 * was loaded before stays in use.
 */
export function createMemoryGeoStore({
  read,
  onDamaged,
}: {
  /** The whole database, verified. Rejects when it is not what its name says. */
  readonly read: (digest: Digest) => Promise<Uint8Array>;
  readonly onDamaged: (blob: Digest) => void;
}): GeoStore {
  let held: readonly GeoBytes[] = [];

  async function tableOf(digest: Digest): Promise<GeoBytes> {
    const bytes = await read(digest).catch((error: unknown) => {
      onDamaged(digest);
      throw error;
    });
    return { digest, bytes: compileGeoTable({ source: digest, bytes }) };
  }

  return {
    async load(digests) {
      const databases: GeoBytes[] = [];
      const problems: string[] = [];
      for (const digest of digests) {
        try {
          const known = held.find((each) => each.digest === digest);
          databases.push(known ?? (await tableOf(digest)));
        } catch (error) {
          problems.push(error instanceof Error ? error.message : String(error));
        }
      }
      if (databases.length > 0 || digests.length === 0) held = databases;
      return { databases: held, problems };
    },
  };
}
