import type { Disk, DiskEntry, StreamOptions } from './disk.ts';
import { checkDiskPath, diskPathParts } from './disk-path.ts';
import { FolderIndex } from './folder-index.ts';

/** A disk in memory with the faults of a real one, for tests and simulation. */
export interface MemoryDisk extends Disk {
  /** What a power cut does: whatever was appended but not synced is gone, unless chance keeps it. */
  crash(chance?: CrashChance): void;
  /** From now on the disk holds at most this many bytes; writing over it throws. */
  limit(capacityBytes: number): void;
  /** Of all files together. */
  usedBytes(): number;
  /** One bit of a stored byte turns over by itself; `false`: there is no such byte. */
  rot(path: string, atByte: number): boolean;
  /** All file paths, sorted, with what they hold now. */
  files(): ReadonlyMap<string, Uint8Array>;
}

/** What a power cut leaves of what it may take: drawn for each file, in the order of their paths. */
export interface CrashChance {
  /** How many of a file's unsynced bytes are on the disk all the same, from the first one on. */
  readonly keptBytes?: (unsyncedBytes: number) => number;
  /** Whether a file is back that was removed since anything was last made durable. */
  readonly isBack?: () => boolean;
}

/** An empty disk. Deterministic: the same calls give the same answers. */
export function memoryDisk(): MemoryDisk {
  return new SimulatedDisk();
}

interface StoredFile {
  readonly pieces: Uint8Array[];
  sizeBytes: number;
  /** How many of `pieces` outlive a crash; undefined: the file itself would not. */
  syncedPieces: number | undefined;
}

const PIECE_BYTES_MAX = 64 * 1024;

class SimulatedDisk implements MemoryDisk {
  private readonly stored = new Map<string, StoredFile>();
  private readonly folders = new FolderIndex();
  /** Removed, and nothing was made durable since: a file system writes down its changes in order. */
  private readonly removed = new Map<string, StoredFile>();
  private capacityBytes = Number.POSITIVE_INFINITY;

  async read(path: string): Promise<Uint8Array | undefined> {
    const file = this.stored.get(diskPath(path));
    return file === undefined ? undefined : contentOf(file);
  }

  async readInto(path: string, memory: Uint8Array): Promise<number | 'too long' | undefined> {
    const file = this.stored.get(diskPath(path));
    if (file === undefined || file.sizeBytes > memory.length)
      return file === undefined ? undefined : 'too long';
    memory.set(contentOf(file));
    return file.sizeBytes;
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    this.reserve(path, bytes.length);
    this.refuseFolder(path);
    this.place(diskPath(path), {
      // Not `slice`: that of a Buffer shares its memory.
      pieces: [new Uint8Array(bytes)],
      sizeBytes: bytes.length,
      syncedPieces: 1,
    });
    this.removed.clear();
  }

  async append(path: string, bytes: Uint8Array): Promise<void> {
    this.reserve(path, bytes.length);
    this.refuseFolder(path);
    const file = this.stored.get(diskPath(path)) ?? {
      pieces: [],
      sizeBytes: 0,
      syncedPieces: undefined,
    };
    file.pieces.push(new Uint8Array(bytes));
    file.sizeBytes += bytes.length;
    this.place(path, file);
  }

  async sync(path: string): Promise<void> {
    const file = this.stored.get(diskPath(path));
    if (file === undefined) throw new Error(`sync ${path}: no such file`);
    file.syncedPieces = file.pieces.length;
    this.removed.clear();
  }

  async rename(from: string, to: string): Promise<void> {
    const file = this.stored.get(diskPath(from));
    if (file === undefined) throw new Error(`rename ${from}: no such file`);
    this.refuseFolder(to);
    this.take(from);
    this.place(diskPath(to), file);
    // The new name is durable even where the content is not: that is what a real disk does.
    file.syncedPieces ??= 0;
    this.removed.clear();
  }

  async remove(path: string): Promise<void> {
    const prefix = path === '' ? '' : `${diskPath(path)}/`;
    for (const [name, file] of this.stored) {
      if (name !== path && !name.startsWith(prefix)) continue;
      this.take(name);
      if (file.syncedPieces !== undefined) this.removed.set(name, file);
    }
  }

  async stat(path: string): Promise<DiskEntry | undefined> {
    const name = diskPathParts(path).at(-1) ?? '';
    const file = this.stored.get(path);
    if (file !== undefined) return { name, kind: 'file', sizeBytes: file.sizeBytes };
    return this.isFolder(path) ? { name, kind: 'folder', sizeBytes: 0 } : undefined;
  }

  async list(folder: string): Promise<readonly DiskEntry[]> {
    const prefix = folder === '' ? '' : `${diskPath(folder)}/`;
    const names = [...this.folders.namesIn(folder)].toSorted();
    return names.map((name): DiskEntry => {
      const file = this.stored.get(`${prefix}${name}`);
      if (file === undefined) return { name, kind: 'folder', sizeBytes: 0 };
      return { name, kind: 'file', sizeBytes: file.sizeBytes };
    });
  }

  async *stream(
    path: string,
    { start = 0, end, memory }: StreamOptions = {},
  ): AsyncIterable<Uint8Array> {
    const file = this.stored.get(diskPath(path));
    if (file === undefined) throw new Error(`read ${path}: no such file`);
    const content = contentOf(file).subarray(start, end);
    // Written over each time, so that whoever keeps a piece notices.
    const place = memory && new Uint8Array(Math.min(content.length, PIECE_BYTES_MAX));
    for (let at = 0; at < content.length; at += PIECE_BYTES_MAX) {
      const piece = content.subarray(at, at + PIECE_BYTES_MAX);
      place?.set(piece);
      yield place?.subarray(0, piece.length) ?? piece;
    }
  }

  crash({ keptBytes = () => 0, isBack = () => false }: CrashChance = {}): void {
    const back = sorted(this.removed).filter(([path]) => !this.stored.has(path) && isBack());
    for (const [path, file] of back) this.place(path, file);
    this.removed.clear();
    for (const [path, file] of sorted(this.stored)) {
      const content = contentOf(file);
      const syncedBytes = sizeOf(file.pieces.slice(0, file.syncedPieces ?? 0));
      const unsyncedBytes = content.length - syncedBytes;
      const kept = unsyncedBytes === 0 ? 0 : Math.min(unsyncedBytes, keptBytes(unsyncedBytes));
      if (file.syncedPieces === undefined && kept === 0) {
        this.take(path);
        continue;
      }
      const pieces = [content.subarray(0, syncedBytes + kept)];
      this.stored.set(path, { pieces, sizeBytes: syncedBytes + kept, syncedPieces: 1 });
    }
  }

  limit(capacityBytes: number): void {
    this.capacityBytes = capacityBytes;
  }

  usedBytes(): number {
    return this.stored.values().reduce((sum, file) => sum + file.sizeBytes, 0);
  }

  rot(path: string, atByte: number): boolean {
    const file = this.stored.get(diskPath(path));
    if (file === undefined || atByte >= file.sizeBytes) return false;
    const content = contentOf(file);
    content[atByte] = (content[atByte] ?? 0) ^ 1;
    const synced = sizeOf(file.pieces.slice(0, file.syncedPieces ?? 0));
    file.pieces.splice(
      0,
      file.pieces.length,
      content.subarray(0, synced),
      content.subarray(synced),
    );
    if (file.syncedPieces !== undefined) file.syncedPieces = 1;
    return true;
  }

  files(): ReadonlyMap<string, Uint8Array> {
    return new Map(sorted(this.stored).map(([path, file]) => [path, contentOf(file)]));
  }

  private place(path: string, file: StoredFile): void {
    if (!this.stored.has(path)) this.folders.add(path);
    this.stored.set(path, file);
  }

  private take(path: string): void {
    if (this.stored.delete(path)) this.folders.remove(path);
  }

  private reserve(path: string, extraBytes: number): void {
    if (this.capacityBytes === Number.POSITIVE_INFINITY) return;
    if (this.usedBytes() + extraBytes > this.capacityBytes) {
      throw new Error(`write ${path}: no space left on device`);
    }
  }

  private isFolder(path: string): boolean {
    return this.folders.has(path);
  }

  private refuseFolder(path: string): void {
    if (this.isFolder(path)) throw new Error(`write ${path}: is a folder`);
  }
}

function diskPath(path: string): string {
  checkDiskPath(path);
  return path;
}

function sorted(
  files: ReadonlyMap<string, StoredFile>,
): readonly (readonly [string, StoredFile])[] {
  return [...files].toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function sizeOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0);
}

function contentOf(file: StoredFile): Uint8Array {
  return Buffer.concat(file.pieces);
}
