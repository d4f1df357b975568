export interface DiskEntry {
  /** The last part of the path. */
  readonly name: string;
  readonly kind: 'file' | 'folder' | 'other';
  /** 0 for folders. */
  readonly sizeBytes: number;
}

/**
 * A folder of one machine's disk, as a port. Paths are relative to it, parts joined by `/`;
 * a path that would leave it (`..`, a leading `/`, NUL) throws.
 *
 * Guarantees: `write` replaces whole or not at all and is durable when it resolves (temporary
 * file, fsync, rename, fsync of the folder); missing parent folders are made. `append` is durable
 * only after `sync`. `rename` is atomic and durable. `list` is sorted by name.
 * Assumptions: one process writes to it.
 * Caveats: links are reported as `other` and never followed. A power cut may undo a `remove`, until
 * the next change that is durable. What was stored can rot: who needs to know must look.
 * Errors: an absent file reads as `undefined`; removing what is absent succeeds; a full or failing
 * disk throws with the path in the message.
 */
export interface Disk {
  read(path: string): Promise<Uint8Array | undefined>;
  /** A whole file into memory that the caller has: how many bytes it is. */
  readInto(path: string, memory: Uint8Array): Promise<number | 'too long' | undefined>;
  write(path: string, bytes: Uint8Array): Promise<void>;
  append(path: string, bytes: Uint8Array): Promise<void>;
  sync(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Removes a file, or a folder with all that is in it. */
  remove(path: string): Promise<void>;
  stat(path: string): Promise<DiskEntry | undefined>;
  /** Empty when the folder is absent. */
  list(folder: string): Promise<readonly DiskEntry[]>;
  /** In pieces of at most 64 KiB; whoever reads for many at once may make them larger. */
  stream(path: string, options?: StreamOptions): AsyncIterable<Uint8Array>;
}

export interface StreamOptions {
  /** The first byte. Left out: 0. */
  readonly start?: number;
  /** The byte behind the last one. Left out: all. */
  readonly end?: number;
  /**
   * `one piece`: each piece may lie where the one before lay, so it is gone once the next is asked
   * for. Whoever only looks at a large file leaves no garbage as large behind.
   */
  readonly memory?: 'one piece';
}
