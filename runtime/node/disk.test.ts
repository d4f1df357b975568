import { mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { diskCases } from '../disk.case.ts';
import { nodeDisk } from './disk.ts';

const folders: string[] = [];

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'b8s-disk-'));
  folders.push(made);
  return made;
}

afterEach(() => {
  for (const made of folders.splice(0)) rmSync(made, { recursive: true, force: true });
});

describe('nodeDisk', () => {
  diskCases(async () => nodeDisk(folder()));

  test('files are for their owner only, and so are folders', async () => {
    const root = folder();
    const disk = nodeDisk(root);
    await disk.write('keys/node.pem', Buffer.from('secret'));
    await disk.append('keys/part', Buffer.from('secret'));
    expect(statSync(join(root, 'keys')).mode & 0o777).toBe(0o700);
    expect(statSync(join(root, 'keys/node.pem')).mode & 0o777).toBe(0o600);
    expect(statSync(join(root, 'keys/part')).mode & 0o777).toBe(0o600);
  });

  test('links are reported as other, never followed', async () => {
    const root = folder();
    symlinkSync('/etc', join(root, 'link'));
    expect(await nodeDisk(root).stat('link')).toEqual({
      name: 'link',
      kind: 'other',
      sizeBytes: 0,
    });
  });

  test('a disk whose folder does not exist yet is empty and can be written', async () => {
    const disk = nodeDisk(join(folder(), 'not', 'yet'));
    expect(await disk.list('')).toEqual([]);
    await disk.write('a', Buffer.from('1'));
    expect((await disk.list('')).map((entry) => entry.name)).toEqual(['a']);
  });
});
