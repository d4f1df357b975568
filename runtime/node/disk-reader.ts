import { type FileHandle, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Disk } from '../disk.ts';
import { diskPathParts } from '../disk-path.ts';
import type { DiskReader } from '../disk-reader.ts';

const PIECE_BYTES_MAX = 64 * 1024;
/** How long an open file is handed to further readers: what replaces it on disk is seen soon. */
const SHARED_MS_MAX = 1000;

/**
 * The folder `root` for a thread that only reads it. Unlike `nodeDisk` it clears nothing away:
 * another thread may be in the middle of a write. Readers of one file share what is open, so that
 * thousands of them take few of the process's files. Nothing is read ahead: `next(bytesMax)` reads
 * that many bytes at most, for who can take no more; `next()` 64 KiB.
 */
export function nodeDiskReader(root: string): DiskReader {
  const full = (path: string): string => join(root, ...diskPathParts(path));
  const files = new SharedFiles();
  return {
    async read(path) {
      try {
        return await readFile(full(path));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    stream: (path, range) => new FilePieces(files, full(path), range),
  };
}

/** The bytes of a file from `start` to `end`. It is opened with the first piece. */
class FilePieces implements AsyncIterableIterator<Uint8Array> {
  readonly #files: SharedFiles;
  readonly #path: string;
  #end: number;
  #at: number;
  #opened: SharedFile | undefined;

  constructor(files: SharedFiles, path: string, range: Parameters<Disk['stream']>[1] = {}) {
    this.#files = files;
    this.#path = path;
    this.#at = range.start ?? 0;
    this.#end = range.end ?? Number.POSITIVE_INFINITY;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(bytesMax: number = PIECE_BYTES_MAX): Promise<IteratorResult<Uint8Array>> {
    const wantedBytes = Math.min(bytesMax, this.#end - this.#at);
    if (wantedBytes <= 0) return await this.return();
    try {
      this.#opened ??= this.#files.take(this.#path);
      const file = await this.#opened.file;
      const bytes = Buffer.allocUnsafe(wantedBytes);
      const { bytesRead } = await file.read(bytes, 0, wantedBytes, this.#at);
      if (bytesRead === 0) return await this.return();
      this.#at += bytesRead;
      return { done: false, value: bytes.subarray(0, bytesRead) };
    } catch (error) {
      await this.return();
      throw error;
    }
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#end = this.#at;
    const opened = this.#opened;
    this.#opened = undefined;
    if (opened !== undefined) await this.#files.release(opened);
    return { done: true, value: undefined };
  }
}

interface SharedFile {
  readonly path: string;
  readonly file: Promise<FileHandle>;
  readonly openedMs: number;
  users: number;
}

/** Files that are open, each for as long as somebody reads it. */
class SharedFiles {
  readonly #newest = new Map<string, SharedFile>();

  take(path: string): SharedFile {
    const nowMs = performance.now();
    const known = this.#newest.get(path);
    if (known !== undefined && nowMs - known.openedMs < SHARED_MS_MAX) {
      known.users += 1;
      return known;
    }
    const opened = { path, file: open(path), openedMs: nowMs, users: 1 };
    this.#newest.set(path, opened);
    return opened;
  }

  async release(opened: SharedFile): Promise<void> {
    opened.users -= 1;
    if (opened.users > 0) return;
    if (this.#newest.get(opened.path) === opened) this.#newest.delete(opened.path);
    const file = await opened.file.catch(() => undefined);
    await file?.close();
  }
}
