import { close, closeSync, fstatSync, open as openFile, openSync, read, readSync } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import type { StreamOptions } from '../disk/disk.ts';
import { checkDiskPath } from '../disk/disk-path.ts';
import { type DiskReader, LENT_BYTES_MAX, type LentRead } from '../disk/disk-reader.ts';
import { DiskPace } from './disk-calls.ts';

const PIECE_BYTES_MAX = 64 * 1024;
/** How long an open file is handed to further readers: what replaces it on disk is seen soon. */
const SHARED_MS_MAX = 1000;
/** What one piece at most is read into where its memory is used again. */
const LARGE_BYTES = 256 * 1024;
/** Of such memory, kept for the next reader. */
const SPARE_MAX = 16;

/**
 * The folder `root` for a thread that only reads it. Unlike `nodeDisk` it clears nothing away:
 * another thread may be in the middle of a write. Readers of one file share what is open, so that
 * thousands of them take few of the process's files. Nothing is read ahead: `next(bytesMax)` reads
 * that many bytes at most, for who can take no more; `next()` 64 KiB. With `one piece` a piece's
 * memory is used again for the next one.
 */
export function nodeDiskReader(root: string): DiskReader {
  const base = resolve(root);
  const full = (path: string): string => {
    checkDiskPath(path);
    return `${base}/${path}`;
  };
  const room = Buffer.allocUnsafeSlow(LENT_BYTES_MAX);
  const files = new SharedFiles();
  const spare: Buffer[] = [];
  const pace = new DiskPace();

  /** In this thread, while the disk is so fast that handing it to another would take longer. */
  const readSmall = (
    path: string,
    lent: LentRead | undefined,
  ): Buffer | undefined | Promise<Buffer | undefined> => {
    if (!pace.isFast()) return readWhole(path).catch(ifAbsent);
    const isLent = lent !== undefined && lent.sizeBytes <= room.length;
    return pace.timed(() => (isLent ? readInto(room, path, lent.sizeBytes) : readHere(path)));
  };
  return {
    read(path, lent) {
      try {
        return readSmall(full(path), lent);
      } catch (error) {
        return (error as NodeJS.ErrnoException).code === 'ENOENT'
          ? undefined
          : Promise.reject(error as Error);
      }
    },
    async stat(path) {
      try {
        const stats = await stat(full(path));
        const kind = stats.isFile() ? 'file' : stats.isDirectory() ? 'folder' : 'other';
        return { name: basename(path), kind, sizeBytes: kind === 'file' ? stats.size : 0 };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    stream: (path, range) => new FilePieces({ files, spare }, full(path), range),
  };
}

function ifAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

function readHere(path: string): Buffer {
  const fd = openSync(path, 'r');
  try {
    const bytes = Buffer.allocUnsafeSlow(fstatSync(fd).size);
    let at = 0;
    for (let count = 1; at < bytes.length && count > 0; at += count)
      count = readSync(fd, bytes, at, bytes.length - at, at);
    return bytes.subarray(0, at);
  } finally {
    closeSync(fd);
  }
}

/** No memory is asked for, and none has to be collected: half of what reading 8 KiB costs. */
function readInto(room: Buffer, path: string, sizeBytes: number): Buffer {
  const fd = openSync(path, 'r');
  try {
    let at = 0;
    for (let count = 1; at < sizeBytes && count > 0; at += count)
      count = readSync(fd, room, at, sizeBytes - at, at);
    return room.subarray(0, at);
  } finally {
    closeSync(fd);
  }
}

/** As `fs.readFile` does, with half of its way through other threads and a third of its work. */
function readWhole(path: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    openFile(path, 'r', (failed, fd) => {
      if (failed !== null) return reject(failed);
      const bytes = Buffer.allocUnsafeSlow(fstatSync(fd).size);
      const readOn = (at: number): void => {
        read(fd, bytes, at, bytes.length - at, at, (error, count) => {
          if (error === null && count > 0 && at + count < bytes.length) return readOn(at + count);
          close(fd, () => undefined);
          if (error === null) resolve(bytes.subarray(0, at + count));
          else reject(error);
        });
      };
      readOn(0);
    });
  });
}

/** The bytes of a file from `start` to `end`. It is opened with the first piece. */
class FilePieces implements AsyncIterableIterator<Uint8Array> {
  readonly #files: SharedFiles;
  readonly #spare: Buffer[];
  readonly #memory: StreamOptions['memory'];
  #held: Buffer | undefined;
  #isReading = false;
  readonly #path: string;
  #end: number;
  #at: number;
  #opened: SharedFile | undefined;

  constructor({ files, spare }: Shared, path: string, range: StreamOptions = {}) {
    this.#files = files;
    this.#spare = spare;
    this.#memory = range.memory;
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
      const bytes = this.#room(wantedBytes);
      this.#isReading = true;
      const { bytesRead } = await file.read(bytes, 0, wantedBytes, this.#at);
      this.#isReading = false;
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
    this.#giveBack();
    const opened = this.#opened;
    this.#opened = undefined;
    if (opened !== undefined) await this.#files.release(opened);
    return { done: true, value: undefined };
  }

  #room(bytes: number): Buffer {
    if (this.#memory !== 'one piece') return Buffer.allocUnsafe(bytes);
    if (this.#held === undefined || this.#held.length < bytes) {
      this.#giveBack();
      const spare = bytes === LARGE_BYTES ? this.#spare.pop() : undefined;
      this.#held = spare ?? Buffer.allocUnsafeSlow(bytes);
    }
    return this.#held;
  }

  #giveBack(): void {
    const held = this.#held;
    this.#held = undefined;
    // What is being read must not come over what somebody else reads by then.
    if (this.#isReading || held?.length !== LARGE_BYTES) return;
    if (this.#spare.length < SPARE_MAX) this.#spare.push(held);
  }
}

interface Shared {
  readonly files: SharedFiles;
  readonly spare: Buffer[];
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
