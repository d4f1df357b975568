import { blobPath, type Digest, digestOf } from '../../../runtime/content/digest.ts';
import { ManifestError, parseManifest } from '../../../runtime/content/manifest.ts';
import { parseVariants, VariantsError } from '../../../runtime/content/variants.ts';
import type { DiskReader } from '../../../runtime/disk/disk-reader.ts';

/** Blobs that lists name, of all that are remembered together: some 15 MB. The oldest goes first. */
export const NAMED_MAX = 120_000;

type Sizes = ReadonlyMap<Digest, number>;

interface Known {
  readonly reading: Promise<Sizes | undefined>;
  /** Blobs that it names, and itself; undefined while it is being read. */
  named: number | undefined;
}

/** What releases and indexes on disk name. */
export class PeerLists {
  readonly #disk: DiskReader;
  readonly #namedMax: number;
  readonly #known = new Map<Digest, Known>();
  /** Of all that are known and read. */
  #named = 0;

  constructor(disk: DiskReader, { namedMax = NAMED_MAX }: { readonly namedMax?: number } = {}) {
    this.#disk = disk;
    this.#namedMax = namedMax;
  }

  /**
   * The sizes in bytes of the blobs that this list names, and its own; undefined: it is not here.
   * One that is damaged, or no list, names nothing. Rejects when the disk fails.
   */
  of(list: Digest): Promise<Sizes | undefined> {
    const known = this.#known.get(list);
    if (known !== undefined) return known.reading;
    const reading = this.#read(list).then(
      (sizes) => {
        if (sizes === undefined) this.#known.delete(list);
        else this.#remember(entry, sizes);
        return sizes;
      },
      (error: unknown) => {
        this.#known.delete(list);
        throw error;
      },
    );
    const entry: Known = { reading, named: undefined };
    // Many who ask at once have it read once.
    this.#known.set(list, entry);
    return reading;
  }

  async #read(list: Digest): Promise<Sizes | undefined> {
    const bytes = await this.#disk.read(blobPath(list));
    if (bytes === undefined || digestOf(bytes) !== list) return undefined;
    return new Map([...namedBy(bytes), [list, bytes.length]]);
  }

  #remember(entry: Known, { size }: Sizes): void {
    entry.named = size;
    this.#named += size;
    for (const [oldest, { named }] of this.#known) {
      if (this.#named <= this.#namedMax) return;
      // What is being read takes no room yet, and what was just read is about to be used.
      if (named === undefined || this.#known.get(oldest) === entry) continue;
      this.#known.delete(oldest);
      this.#named -= named;
    }
  }
}

function namedBy(bytes: Uint8Array): readonly (readonly [Digest, number])[] {
  for (const read of [filesOf, formsOf]) {
    try {
      return read(bytes).map(({ digest, sizeBytes }) => [digest, sizeBytes] as const);
    } catch (error) {
      if (!(error instanceof ManifestError || error instanceof VariantsError)) throw error;
    }
  }
  return [];
}

type Named = readonly { readonly digest: Digest; readonly sizeBytes: number }[];

function filesOf(bytes: Uint8Array): Named {
  return parseManifest(bytes);
}

function formsOf(bytes: Uint8Array): Named {
  return [...parseVariants(bytes).values()].flat();
}
