/** Which names stand in which folder, of a disk whose folders are there as long as files are in them. */
export class FolderIndex {
  /** By folder and name: how many files are there, or below. */
  readonly #folders = new Map<string, Map<string, number>>();

  /** A file that was not there. */
  add(path: string): void {
    for (const [folder, name] of placesOf(path)) {
      const names = this.#folders.get(folder) ?? new Map<string, number>();
      this.#folders.set(folder, names.set(name, (names.get(name) ?? 0) + 1));
    }
  }

  /** A file that was added. */
  remove(path: string): void {
    for (const [folder, name] of placesOf(path)) {
      const names = this.#folders.get(folder);
      const left = (names?.get(name) ?? 0) - 1;
      if (left > 0) names?.set(name, left);
      else names?.delete(name);
      if (names?.size === 0) this.#folders.delete(folder);
    }
  }

  /** The disk's own folder, the empty path, is always there. */
  has(folder: string): boolean {
    return folder === '' || this.#folders.has(folder);
  }

  namesIn(folder: string): Iterable<string> {
    return this.#folders.get(folder)?.keys() ?? [];
  }
}

/** `a/b` is `a` in the disk's own folder, and `b` in `a`. */
function* placesOf(path: string): Generator<readonly [folder: string, name: string]> {
  for (let start = 0, slash = 0; slash !== -1; start = slash + 1) {
    slash = path.indexOf('/', start);
    yield [
      path.slice(0, Math.max(0, start - 1)),
      path.slice(start, slash === -1 ? undefined : slash),
    ];
  }
}
