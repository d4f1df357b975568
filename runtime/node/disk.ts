import { createReadStream, type Stats } from 'node:fs';
import { lstat, mkdir, open, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { threadId } from 'node:worker_threads';
import type { Disk, DiskEntry, StreamOptions } from '../disk/disk.ts';
import { diskPathParts } from '../disk/disk-path.ts';
import { DiskCalls } from './disk-calls.ts';

/**
 * The folder `root` of this machine. Files are made with mode 0600 and folders with 0700, for
 * private keys are among them.
 */
export function nodeDisk(root: string): Disk {
  return new NodeDisk(root);
}

/** Clears away what interrupted writes left behind; for the one who writes, before it begins. */
export function clearInterruptedWrites(root: string): Promise<void> {
  return rm(join(root, TEMPORARY), { recursive: true, force: true });
}

/** Where a file is written before it is renamed into place: the same file system, out of sight. */
const TEMPORARY = '.tmp';
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
/** Of one that is forgotten, the folder is made durable once more. */
const ENTERED_MAX = 64;
const PIECE_BYTES_MAX = 64 * 1024;

class NodeDisk implements Disk {
  private readonly root: string;
  private readonly calls = new DiskCalls();
  private temporaries = 0;
  /** Files whose entries in their folders are durable, so that more at their end is one fsync. */
  private readonly entered: Set<string> = new Set();
  /** Of entries: what was entered meanwhile may be gone. */
  private removals = 0;

  constructor(root: string) {
    this.root = root;
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    const full = this.full(path);
    return absentAsUndefined(this.calls.read(full));
  }

  async readInto(path: string, memory: Uint8Array): Promise<number | 'too long' | undefined> {
    return absentAsUndefined(this.calls.readInto(this.full(path), memory));
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    const full = this.full(path);
    const { removals } = this;
    this.temporaries += 1;
    const temporary = join(this.root, TEMPORARY, `${process.pid}-${threadId}-${this.temporaries}`);
    try {
      const file = await this.inFolderOf(temporary, () => {
        return this.calls.open(temporary, 'w', FILE_MODE);
      });
      try {
        await this.calls.write(file, bytes);
        await this.calls.sync(file);
      } finally {
        await this.calls.close(file);
      }
      await this.move(temporary, full);
      this.enter(full, removals);
    } catch (cause) {
      await rm(temporary, { force: true });
      throw new Error(`write ${full}: ${messageOf(cause)}`, { cause });
    }
  }

  async append(path: string, bytes: Uint8Array): Promise<void> {
    const full = this.full(path);
    const file = await this.inFolderOf(full, () => open(full, 'a', FILE_MODE));
    try {
      await file.writeFile(bytes);
    } catch (cause) {
      throw new Error(`write ${full}: ${messageOf(cause)}`, { cause });
    } finally {
      await file.close();
    }
  }

  async sync(path: string): Promise<void> {
    const full = this.full(path);
    const { removals } = this;
    await this.syncPath(full);
    if (this.entered.has(full)) return;
    await this.syncPath(dirname(full));
    this.enter(full, removals);
  }

  async rename(from: string, to: string): Promise<void> {
    const source = this.full(from);
    await this.move(source, this.full(to));
    this.forgetEntries();
    await this.syncPath(dirname(source));
  }

  async remove(path: string): Promise<void> {
    await rm(this.full(path), { recursive: true, force: true });
    this.forgetEntries();
  }

  async stat(path: string): Promise<DiskEntry | undefined> {
    const found = await absentAsUndefined(this.calls.lstat(this.full(path)));
    const name = diskPathParts(path).at(-1) ?? '';
    return found === undefined ? undefined : entryOf(name, found);
  }

  async list(folder: string): Promise<readonly DiskEntry[]> {
    const full = this.full(folder);
    const names = ((await absentAsUndefined(readdir(full))) ?? [])
      .filter((name) => folder !== '' || name !== TEMPORARY)
      .toSorted();
    const entries = await Promise.all(
      names.map(async (name) => {
        const found = await absentAsUndefined(lstat(join(full, name)));
        return found === undefined ? undefined : entryOf(name, found);
      }),
    );
    return entries.filter((entry) => entry !== undefined);
  }

  async *stream(path: string, options: StreamOptions = {}): AsyncIterable<Uint8Array> {
    const { start = 0, end = Number.POSITIVE_INFINITY, memory } = options;
    if (end <= start) return;
    const full = this.full(path);
    if (memory === 'one piece') yield* piecesInPlace(full, { start, end });
    else {
      const range = { start, end: end - 1, highWaterMark: PIECE_BYTES_MAX };
      yield* createReadStream(full, range) as AsyncIterable<Uint8Array>;
    }
  }

  private enter(full: string, removals: number): void {
    if (removals !== this.removals) return;
    if (this.entered.size >= ENTERED_MAX) this.entered.clear();
    this.entered.add(full);
  }

  private forgetEntries(): void {
    this.removals += 1;
    this.entered.clear();
  }

  private full(path: string): string {
    return join(this.root, ...diskPathParts(path));
  }

  /** Moves within one file system, durably; makes the target's folders. */
  private async move(from: string, to: string): Promise<void> {
    await this.inFolderOf(to, () => this.calls.rename(from, to));
    await this.syncPath(dirname(to));
  }

  /** Does what needs the folder of `path`, which mostly is there: it is made only when missed. */
  private async inFolderOf<T>(path: string, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      await this.makeFolder(dirname(path));
      return act();
    }
  }

  /** Makes a folder with its parents, each durable in the one above it. */
  private async makeFolder(folder: string): Promise<void> {
    const firstMade = await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
    if (firstMade === undefined) return;
    for (let made = folder; made.length >= firstMade.length; made = dirname(made)) {
      await this.syncPath(dirname(made));
    }
  }

  private async syncPath(path: string): Promise<void> {
    const file = await this.calls.open(path, 'r', FILE_MODE);
    try {
      await this.calls.sync(file);
    } finally {
      await this.calls.close(file);
    }
  }
}

async function* piecesInPlace(
  path: string,
  { start, end }: { readonly start: number; readonly end: number },
): AsyncIterable<Uint8Array> {
  const memory = new Uint8Array(PIECE_BYTES_MAX);
  const file = await open(path, 'r');
  try {
    for (let at = start; at < end; ) {
      const length = Math.min(memory.length, end - at);
      const { bytesRead } = await file.read(memory, 0, length, at);
      if (bytesRead === 0) return;
      at += bytesRead;
      yield memory.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

function entryOf(name: string, found: Stats): DiskEntry {
  if (found.isFile()) return { name, kind: 'file', sizeBytes: found.size };
  return { name, kind: found.isDirectory() ? 'folder' : 'other', sizeBytes: 0 };
}

async function absentAsUndefined<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
