import { constants } from 'node:fs';
import {
  lstat,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Editor, FileEntry, Files } from '../files.ts';

const READ_BYTES = 64 * 1024;

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
    const listed = entries.map(async (entry): Promise<FileEntry> => {
      const kind = kindOf(entry);
      // Absent: removed meanwhile, or a name that is not UTF-8, which the caller refuses by name.
      const found =
        kind === 'file'
          ? await lstat(join(folder, entry.name)).catch(undefinedIfAbsent)
          : undefined;
      const sizeBytes = found?.size ?? 0;
      return { name: entry.name, kind, sizeBytes };
    });
    const byName = (a: FileEntry, b: FileEntry) => (a.name < b.name ? -1 : 1);
    return (await Promise.all(listed)).toSorted(byName);
  },
  async *stream(path) {
    // Without O_NONBLOCK a named pipe would hang the command for ever.
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const file = await open(path, flags);
    try {
      if (!(await file.stat()).isFile()) throw new Error(`${path}: not a regular file`);
      for (;;) {
        const { bytesRead, buffer } = await file.read(
          Buffer.allocUnsafe(READ_BYTES),
          0,
          READ_BYTES,
        );
        if (bytesRead === 0) return;
        yield buffer.subarray(0, bytesRead);
      }
    } finally {
      await file.close();
    }
  },
  async readStandardInput() {
    const chunks: Buffer[] = [];
    for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks).toString('utf8');
  },
};

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
