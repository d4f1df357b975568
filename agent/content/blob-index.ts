import type { Digest } from '../../runtime/content/digest.ts';
import type { Disk } from '../../runtime/disk/disk.ts';
import { listBlobs } from './blob-list.ts';

/** What is whole on this disk, with sizes in bytes, and what lies beside it under other names. */
export interface BlobListing {
  readonly blobs: ReadonlyMap<Digest, number>;
  readonly strays: readonly string[];
}

/**
 * Which blobs there are. The disk is read once, for to look at each of ten thousand files takes
 * longer than all that a change of one needs; from then on it is told what comes and goes.
 *
 * Assumptions: nobody else writes to the disk. Whoever finds that something is gone says `forget`.
 */
export class BlobIndex {
  readonly #disk: Disk;
  #known: { readonly blobs: Map<Digest, number>; readonly strays: readonly string[] } | undefined;
  /** Noted while the disk is read, which may or may not see it: undefined has gone. */
  readonly #changes: Map<Digest, number | undefined>[] = [];
  /** Grows with each `forget`: what was read before is not to be kept. */
  #forgotten = 0;
  #era: object = {};

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  /** Belongs to the caller. Rejects when the disk fails. */
  async read(): Promise<{
    blobs: Map<Digest, number>;
    strays: readonly string[];
    /** Another one once something went. */
    era: object;
  }> {
    const { blobs, strays } = this.#known ?? (await this.#look());
    return { blobs: new Map(blobs), strays, era: this.#era };
  }

  added(digest: Digest, sizeBytes: number): void {
    this.#known?.blobs.set(digest, sizeBytes);
    for (const changes of this.#changes) changes.set(digest, sizeBytes);
  }

  removed(digest: Digest): void {
    this.#era = {};
    this.#known?.blobs.delete(digest);
    for (const changes of this.#changes) changes.set(digest, undefined);
  }

  /** Something may have gone, or come: the disk is read anew. */
  forget(): void {
    this.#known = undefined;
    this.#era = {};
    this.#forgotten += 1;
  }

  async #look(): Promise<BlobListing> {
    const forgotten = this.#forgotten;
    this.#era = {};
    const changes = new Map<Digest, number | undefined>();
    this.#changes.push(changes);
    const strays: string[] = [];
    try {
      const blobs = await listBlobs(this.#disk, strays);
      for (const [digest, sizeBytes] of changes)
        if (sizeBytes === undefined) blobs.delete(digest);
        else blobs.set(digest, sizeBytes);
      // What is beside them goes, and others may come: that is looked at each time.
      if (forgotten === this.#forgotten && strays.length === 0) this.#known = { blobs, strays };
      return { blobs, strays };
    } finally {
      this.#changes.splice(this.#changes.indexOf(changes), 1);
    }
  }
}
