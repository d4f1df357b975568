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

  test('a full disk refuses with the path and keeps what it had', async () => {
    const disk = memoryDisk();
    await disk.write('a', Buffer.from('1234'));
    disk.limit(6);
    await expect(disk.write('b', Buffer.from('567'))).rejects.toThrow('write b: no space left');
    await disk.append('a', Buffer.from('56'));
    expect([...disk.files().keys()]).toEqual(['a']);
  });
});
