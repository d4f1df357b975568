import {
  type BigIntStats,
  closeSync,
  constants,
  type Dirent,
  fstatSync,
  lstatSync,
  openSync,
  read,
} from 'node:fs';
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Editor, FileEntry, FileStamp, Files } from '../disk/files.ts';

const READ_BYTES = 256 * 1024;
const LOOKS_AT_ONCE = 256;

/** The real file system. */
export const nodeFiles: Files = {
  async readText(path) {
    return await readFile(path, 'utf8').catch(undefinedIfAbsent);
  },
  async writeText(path, text) {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const temporary = `${path}.${process.pid}.tmp`;
    await writeFile(temporary, text, { mode: 0o600 });
    await rename(temporary, path);
  },
  async kind(path) {
    const found = await stat(path).catch(undefinedIfAbsent);
    if (found === undefined) return undefined;
    return found.isFile() ? 'file' : found.isDirectory() ? 'folder' : 'other';
  },
  async list(folder) {
    const entries = await readdir(folder, { withFileTypes: true });
    const listed: FileEntry[] = [];
    for (const [index, entry] of entries.entries()) {
      // Ctrl-C must be heard, also where each look goes over a network.
      if (index % LOOKS_AT_ONCE === LOOKS_AT_ONCE - 1) await setImmediate();
      listed.push(entryOf(folder, entry));
    }
    const byName = (a: FileEntry, b: FileEntry) => (a.name < b.name ? -1 : 1);
    return listed.toSorted(byName);
  },
  async stamp(path) {
    const found = await stat(path, { bigint: true }).catch(undefinedIfAbsent);
    return found?.isFile() === true ? stampOf(found) : undefined;
  },
  realPath: (path) => realpath(path),
  async *stream(path, { start = 0, end = Number.POSITIVE_INFINITY } = {}) {
    // Without O_NONBLOCK a named pipe would hang the command for ever.
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    // Only to read is left to another thread: for all else that takes longer than the call.
    const file = openSync(path, flags);
    try {
      const found = fstatSync(file);
      if (!found.isFile()) throw new Error(`${path}: not a regular file`);
      // One byte more than a small file has tells its end at once.
      const pieceBytes = Math.min(READ_BYTES, Math.max(0, found.size - start) + 1);
      for (let at = start; at < end; ) {
        const length = Math.min(pieceBytes, end - at);
        const buffer = Buffer.allocUnsafe(length);
        const bytesRead = await readAt(file, buffer, at);
        if (bytesRead === 0) return;
        at += bytesRead;
        yield buffer.subarray(0, bytesRead);
        if (bytesRead < length && at === found.size) return;
      }
    } finally {
      closeSync(file);
    }
  },
  async readStandardInput() {
    const chunks: Buffer[] = [];
    for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks).toString('utf8');
  },
};

function readAt(file: number, buffer: Buffer, at: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(file, buffer, 0, buffer.length, at, (error, bytesRead) => {
      if (error === null) resolve(bytesRead);
      else reject(error);
    });
  });
}

/** The editor named by `command` ("vi", "code --wait"), on this terminal. */
export function nodeEditor(command: string): Editor {
  return {
    async edit(text, name) {
      const folder = await mkdtemp(join(tmpdir(), 'b8sctl-edit-'));
      try {
        const path = join(folder, name);
        await writeFile(path, text, { mode: 0o600 });
        await runEditor(command, path);
        return await readFile(path, 'utf8');
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

async function runEditor(command: string, path: string): Promise<void> {
  const { spawn } = await import('node:child_process');
  return await new Promise((resolve, reject) => {
    // By the shell, for $EDITOR may hold arguments; the path goes apart, never as shell text.
    const child = spawn('/bin/sh', ['-c', `${command} "$1"`, 'sh', path], { stdio: 'inherit' });
    child.once('error', (cause) => reject(new Error(`start the editor ${command}`, { cause })));
    child.once('exit', (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`the editor ${command} ended with ${signal ?? `exit code ${code}`}`));
    });
  });
}

function entryOf(folder: string, entry: Dirent): FileEntry {
  const { name } = entry;
  const kind = kindOf(entry);
  // At once, for a promise costs ten times as much, and a site has thousands of files.
  const options = { bigint: true, throwIfNoEntry: false } as const;
  const found = kind === 'file' ? lstatSync(join(folder, name), options) : undefined;
  // Absent: removed meanwhile, or a name that is not UTF-8, which the caller refuses by name.
  if (found === undefined) return { name, kind, sizeBytes: 0 };
  const stamp = stampOf(found);
  return { name, kind, sizeBytes: stamp.sizeBytes, stamp };
}

function stampOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): FileStamp {
  const latestNs = mtimeNs > ctimeNs ? mtimeNs : ctimeNs;
  return {
    sizeBytes: Number(size),
    text: `${size}-${mtimeNs}-${ctimeNs}-${ino}-${dev}`,
    changedMs: Number(latestNs / 1_000_000n),
  };
}

function kindOf(entry: {
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}): FileEntry['kind'] {
  if (entry.isSymbolicLink()) return 'link';
  if (entry.isFile()) return 'file';
  return entry.isDirectory() ? 'folder' : 'other';
}

function undefinedIfAbsent(error: unknown): undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
  throw error;
}
