import { describe, expect, test } from 'vitest';
import { diskCases } from './disk.case.ts';
import { memoryDisk } from './memory-disk.ts';

describe('memoryDisk', () => {
  diskCases(async () => memoryDisk());

  test('a crash loses appends that were not synced, and files that never were', async () => {
    const disk = memoryDisk();
    await disk.append('half', Buffer.from('kept '));
    await disk.sync('half');
    await disk.append('half', Buffer.from('lost'));
    await disk.append('never', Buffer.from('lost'));
    await disk.append('renamed', Buffer.from('lost'));
    await disk.rename('renamed', 'blob');
    await disk.write('whole', Buffer.from('kept'));
    disk.crash();
    const left = [...disk.files()].map(([path, content]) => [path, `${Buffer.from(content)}`]);
    expect(left).toEqual([
      ['blob', ''],
      ['half', 'kept '],
      ['whole', 'kept'],
    ]);
  });

  test.each([
    { when: 'nothing is kept', kept: 0, half: 'kept ', never: undefined },
    { when: 'a part of the last append is', kept: 2, half: 'kept lo', never: 'lo' },
    { when: 'all of it is', kept: 9, half: 'kept lost', never: 'lost' },
  ])('a crash may tear what was not synced: $when', async ({ kept, half, never }) => {
    const disk = memoryDisk();
    await disk.append('half', Buffer.from('kept '));
    await disk.sync('half');
    await disk.append('half', Buffer.from('lo'));
    await disk.append('half', Buffer.from('st'));
    await disk.append('never', Buffer.from('lost'));
    disk.crash({ keptBytes: () => kept });
    const text = (path: string) => disk.files().get(path)?.toString();
    expect([text('half'), text('never')]).toEqual([half, never]);
    disk.crash();
    expect(text('half')).toBe(half);
  });

  test('a crash may bring back what was removed, until something is durable', async () => {
    const disk = memoryDisk();
    await disk.write('folder/a', Buffer.from('a'));
    await disk.write('folder/b', Buffer.from('b'));
    await disk.remove('folder/a');
    await disk.write('other', Buffer.from('c'));
    await disk.remove('folder/b');
    disk.crash({ isBack: () => true });
    expect([...disk.files().keys()]).toEqual(['folder/b', 'other']);
    await disk.remove('folder/b');
    disk.crash();
    expect([...disk.files().keys()]).toEqual(['other']);
  });

  test('rot turns one bit over, and nothing else changes', async () => {
    const disk = memoryDisk();
    await disk.append('a', Buffer.from('abc'));
    await disk.sync('a');
    await disk.append('a', Buffer.from('def'));
    expect([disk.rot('a', 3), disk.rot('a', 6), disk.rot('none', 0)]).toEqual([true, false, false]);
    expect(disk.files().get('a')?.toString()).toBe('abceef');
    disk.crash();
    expect(disk.files().get('a')?.toString()).toBe('abc');
  });

  test('a full disk refuses with the path and keeps what it had', async () => {
    const disk = memoryDisk();
    await disk.write('a', Buffer.from('1234'));
    disk.limit(6);
    await expect(disk.write('b', Buffer.from('567'))).rejects.toThrow('write b: no space left');
    await disk.append('a', Buffer.from('56'));
    expect([...disk.files().keys()]).toEqual(['a']);
    expect(disk.usedBytes()).toBe(6);
    disk.limit(Infinity);
    await disk.write('b', Buffer.from('567'));
  });
});
