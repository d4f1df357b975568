import { digestOf } from '../../runtime/digest.ts';
import type { MemoryDisk } from '../../runtime/memory-disk.ts';
import type { SeededRandom } from '../engine/random.ts';

/** Bits that turn over by themselves in what lies on a disk, and what it should be. */
export class Rot {
  readonly #disk: MemoryDisk;
  /** By path: the bytes from before, of what was not seen to be right again. */
  readonly #before = new Map<string, Uint8Array>();

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
    if (!this.#before.has(path) && path.startsWith('blobs/')) this.#before.set(path, bytes);
    this.#disk.rot(path, random.integer(0, bytes.length - 1));
    return path;
  }

  /** Blobs that were struck and are not whole again, damaged or gone; sorted. */
  damaged(): readonly string[] {
    if (this.#before.size === 0) return [];
    const files = this.#disk.files();
    for (const [path, before] of this.#before) {
      const now = files.get(path);
      if (now !== undefined && digestOf(now) === digestOf(before)) this.#before.delete(path);
    }
    return [...this.#before.keys()].toSorted();
  }

  /** Somebody brings what was damaged back from a copy. */
  async mend(): Promise<void> {
    for (const path of this.damaged()) {
      const before = this.#before.get(path);
      if (before !== undefined) await this.#disk.write(path, before);
    }
    this.#before.clear();
  }

  /** All that was struck is forgotten: what is still damaged must be found by the node itself. */
  forget(): void {
    this.#before.clear();
  }
}
