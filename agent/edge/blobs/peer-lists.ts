import { blobPath, type Digest, digestOf } from '../../../runtime/content/digest.ts';
import { ManifestError, parseManifest } from '../../../runtime/content/manifest.ts';
import { parseVariants, VariantsError } from '../../../runtime/content/variants.ts';
import type { DiskReader } from '../../../runtime/disk/disk-reader.ts';

/** Blobs that lists name, of all that are remembered together: some 15 MB. The oldest goes first. */
export const NAMED_MAX = 120_000;

type Sizes = ReadonlyMap<Digest, number>;

/** What releases and indexes on disk name. */
export class PeerLists {
  readonly #disk: DiskReader;
  readonly #known = new Map<Digest, Promise<Sizes | undefined>>();
  #named = 0;

  constructor(disk: DiskReader) {
    this.#disk = disk;
  }

  /**
   * The sizes in bytes of the blobs that this list names, and its own; undefined: it is not here.
   * One that is damaged, or no list, names nothing. Rejects when the disk fails.
   */
  of(list: Digest): Promise<Sizes | undefined> {
    const known = this.#known.get(list);
    if (known !== undefined) return known;
    const reading = this.#read(list).then(
      (sizes) => {
        if (sizes === undefined) this.#known.delete(list);
        else this.#remember(list, sizes);
        return sizes;
      },
      (error: unknown) => {
        this.#known.delete(list);
        throw error;
      },
    );
    // Many who ask at once have it read once.
    this.#known.set(list, reading);
    return reading;
  }

  async #read(list: Digest): Promise<Sizes | undefined> {
    const bytes = await this.#disk.read(blobPath(list));
    if (bytes === undefined || digestOf(bytes) !== list) return undefined;
    return new Map([...namedBy(bytes), [list, bytes.length]]);
  }

  #remember(list: Digest, { size }: Sizes): void {
    this.#named += size;
    for (const [oldest, reading] of this.#known) {
      if (this.#named <= NAMED_MAX || oldest === list) return;
      this.#known.delete(oldest);
      void reading.then((sizes) => {
        this.#named -= sizes?.size ?? 0;
      });
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
