import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { nodeEditor, nodeFiles } from './files.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'b8s-files-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function read(path: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of nodeFiles.stream(path)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

test('entries are sorted and say what they are', async () => {
  await writeFile(join(folder, 'b.txt'), 'four');
  await mkdir(join(folder, 'c'));
  await symlink('/etc/passwd', join(folder, 'a'));
  execFileSync('mkfifo', [join(folder, 'd')]);
  await writeFile(Buffer.concat([Buffer.from(`${folder}/e`), Buffer.from([0xff])]), 'odd');
  expect(await nodeFiles.list(folder)).toEqual([
    { name: 'a', kind: 'link', sizeBytes: 0 },
    { name: 'b.txt', kind: 'file', sizeBytes: 4, stamp: expect.objectContaining({ sizeBytes: 4 }) },
    { name: 'c', kind: 'folder', sizeBytes: 0 },
    { name: 'd', kind: 'other', sizeBytes: 0 },
    { name: 'e\uFFFD', kind: 'file', sizeBytes: 0 },
  ]);
});

test('a stream never follows a link and never hangs on a pipe', async () => {
  await symlink('/etc/passwd', join(folder, 'link'));
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  await expect(read(join(folder, 'link'))).rejects.toThrow(/ELOOP.*link/);
  await expect(read(join(folder, 'pipe'))).rejects.toThrow(/pipe: not a regular file/);
});

test('a stream gives every byte in pieces', async () => {
  const text = 'x'.repeat(200_000);
  await writeFile(join(folder, 'big'), text);
  expect(await read(join(folder, 'big'))).toBe(text);
});

test('what is absent is undefined, what was written is the owner’s alone', async () => {
  const path = join(folder, 'new', 'config');
  expect(await nodeFiles.readText(path)).toBeUndefined();
  expect(await nodeFiles.kind(path)).toBeUndefined();
  await nodeFiles.writeText(path, 'text');
  expect(await readFile(path, 'utf8')).toBe('text');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test('an editor may have arguments; one that fails is told', async () => {
  expect(await nodeEditor("sed -i 's/a/b/'").edit('a;$(touch x)\n', 'it.yaml')).toBe(
    'b;$(touch x)\n',
  );
  await expect(nodeEditor('false').edit('a', 'it.yaml')).rejects.toThrow(
    /editor false ended with exit code 1/,
  );
});

test('a stamp tells each change of a file, and a range gives just its bytes', async () => {
  const path = join(folder, 'a');
  await writeFile(path, 'one two');
  const before = await nodeFiles.stamp(path);
  expect(before).toMatchObject({ sizeBytes: 7 });
  expect(await nodeFiles.stamp(path)).toEqual(before);
  // Of the same size, and with its old time put back: only ctime tells.
  const { atime, mtime } = await stat(path);
  await writeFile(path, 'two one');
  await utimes(path, atime, mtime);
  expect((await nodeFiles.stamp(path))?.text).not.toBe(before?.text);
  expect(await nodeFiles.stamp(folder)).toBeUndefined();
  expect(await nodeFiles.stamp(join(folder, 'none'))).toBeUndefined();
  const chunks: Uint8Array[] = [];
  for await (const chunk of nodeFiles.stream(path, { start: 2, end: 5 })) chunks.push(chunk);
  expect(Buffer.concat(chunks).toString()).toBe('o o');
});
