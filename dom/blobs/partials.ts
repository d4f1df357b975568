import { digestHex, isDigest } from '../../runtime/content/digest.ts';
import type { Disk } from '../../runtime/disk/disk.ts';

/** How many beginnings of large blobs are kept: whoever pushes on has no more under way. */
const PARTIALS_MAX = 16;
const FOLDER = 'partials';

/**
 * What cut uploads of large blobs have left, so that the next upload goes on there.
 *
 * Guarantees: one upload at a time writes to a beginning; at most PARTIALS_MAX lie there, and the
 * one that was left first makes way.
 * Caveats: its last bytes may be wrong after a power cut: the digest of the whole tells.
 */
export class Partials {
  readonly #disk: Disk;
  /** Left by an upload, the oldest first; undefined: not looked at yet. */
  #left: Set<string> | undefined;
  readonly #claimed = new Set<string>();

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  /** How many bytes of `digest` an upload may leave out; 0 also while another one writes them. */
  async heldBytes(digest: string): Promise<number> {
    const left = await this.#look();
    if (!left.has(digest) || this.#claimed.has(digest)) return 0;
    return (await this.#disk.stat(pathOf(digest)))?.sizeBytes ?? 0;
  }

  /** Where this upload may write; undefined: another one of the same blob does. */
  claim(digest: string): string | undefined {
    if (this.#claimed.has(digest)) return undefined;
    this.#claimed.add(digest);
    return pathOf(digest);
  }

  /** The upload was cut: what it wrote stays. */
  async leave(digest: string): Promise<void> {
    const left = await this.#look();
    left.delete(digest);
    left.add(digest);
    this.#claimed.delete(digest);
    for (const oldest of left) {
      if (left.size <= PARTIALS_MAX) return;
      if (this.#claimed.has(oldest)) continue;
      left.delete(oldest);
      await this.#disk.remove(pathOf(oldest));
    }
  }

  /** The blob is whole, or what was written is none of it: nothing stays. */
  async drop(digest: string): Promise<void> {
    (await this.#look()).delete(digest);
    await this.#disk.remove(pathOf(digest));
    this.#claimed.delete(digest);
  }

  async #look(): Promise<Set<string>> {
    if (this.#left !== undefined) return this.#left;
    const digests = (await this.#disk.list(FOLDER)).map(({ name }) => `sha256-${name}`);
    this.#left ??= new Set(digests.filter(isDigest));
    return this.#left;
  }
}

function pathOf(digest: string): string {
  return `${FOLDER}/${isDigest(digest) ? digestHex(digest) : 'none'}`;
}
