import { blobPath, digestOf } from '../../runtime/content/digest.ts';
import type { MemoryDisk } from '../../runtime/disk/memory-disk.ts';
import type { SeededRandom } from '../engine/random.ts';

/** Bits that turn over by themselves in what lies on a disk, and what it should be. */
export class Rot {
  readonly #disk: MemoryDisk;
  /** By path: the bytes from before, of what was not seen to be right again. */
  readonly #before = new Map<string, Uint8Array>();
  /** Paths of blobs that were struck while on their way: what is put there may be as damaged. */
  readonly #struckEarly = new Set<string>();

  constructor(disk: MemoryDisk) {
    this.#disk = disk;
  }

  /** Strikes a blob, or a part of one that is on its way; returns which, undefined: there is none. */
  strike(random: SeededRandom): string | undefined {
    const files = this.#disk.files();
    const paths = [...files.keys()].filter((path) => /^(blobs|partial)\//.test(path));
    const path = paths.length === 0 ? undefined : random.pick(paths);
    const bytes = path === undefined ? undefined : files.get(path);
    if (path === undefined || bytes === undefined || bytes.length === 0) return undefined;
    // Several machines may share the disk: what is damaged already is no copy to go back to.
    if (isWhole(path, bytes)) this.#before.set(path, bytes);
    const part = /^partial\/(.*)$/.exec(path)?.[1];
    if (part !== undefined) this.#struckEarly.add(blobPath(`sha256-${part}`));
    this.#disk.rot(path, random.integer(0, bytes.length - 1));
    return path;
  }

  /** Blobs that were struck and are not whole again, damaged or gone; sorted. */
  damaged(): readonly string[] {
    if (this.#before.size + this.#struckEarly.size === 0) return [];
    const files = this.#disk.files();
    for (const path of this.#before.keys())
      if (isWhole(path, files.get(path))) this.#before.delete(path);
    const late = [...this.#struckEarly].filter(
      (path) => files.has(path) && !isWhole(path, files.get(path)),
    );
    return [...new Set([...this.#before.keys(), ...late])].toSorted();
  }

  /** Somebody brings what was damaged back from a copy. */
  async mend(): Promise<void> {
    for (const path of this.damaged()) {
      const before = this.#before.get(path);
      if (before !== undefined) await this.#disk.write(path, before);
    }
    this.forget();
  }

  /** All that was struck is forgotten: what is still damaged must be found by the node itself. */
  forget(): void {
    this.#before.clear();
    this.#struckEarly.clear();
  }
}

/** A blob, and as its name says. */
function isWhole(path: string, bytes: Uint8Array | undefined): boolean {
  return bytes !== undefined && blobPath(digestOf(bytes)) === path;
}
