import fs, { mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, type Mock, test, vi } from 'vitest';
import { diskCases } from '../disk/disk.case.ts';
import { nodeDisk } from './disk.ts';

const folders: string[] = [];

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'b8s-disk-'));
  folders.push(made);
  return made;
}

/** Every fsync from now on. */
function countSyncs(): Mock {
  const syncs = vi.spyOn(fs, 'fsync');
  syncBuiltinESMExports();
  return syncs;
}

afterEach(() => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
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

  test('more at the end of a file is one fsync; its folder is made durable when it is new there', async () => {
    const root = folder();
    const disk = nodeDisk(root);
    const syncs = countSyncs();
    const steps: readonly (readonly [string, () => Promise<void>])[] = [
      ['new', () => disk.append('a/part', Buffer.from('1')).then(() => disk.sync('a/part'))],
      ['more', () => disk.append('a/part', Buffer.from('2')).then(() => disk.sync('a/part'))],
      ['whole', () => disk.write('plan', Buffer.from('1'))],
      ['more of it', () => disk.append('plan', Buffer.from('2')).then(() => disk.sync('plan'))],
      ['gone', () => disk.remove('plan')],
      ['new again', () => disk.append('plan', Buffer.from('3')).then(() => disk.sync('plan'))],
      ['moved', () => disk.rename('a/part', 'part')],
      ['new there', () => disk.append('a/part', Buffer.from('4')).then(() => disk.sync('a/part'))],
    ];
    const counts: unknown[] = [];
    for (const [what, act] of steps) {
      syncs.mockClear();
      await act();
      counts.push([what, syncs.mock.calls.length]);
    }
    // A new folder `a` is made durable in the root; `.tmp` of the first whole write, too.
    expect(counts).toEqual([
      ['new', 3],
      ['more', 1],
      ['whole', 3],
      ['more of it', 1],
      ['gone', 0],
      ['new again', 2],
      ['moved', 2],
      ['new there', 2],
    ]);
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
