import { expect, test } from 'vitest';
import { FolderIndex } from './folder-index.ts';

test('names of files and folders stand in their folder', () => {
  const folders = indexOf('plan.bin', 'blobs/ab/one', 'blobs/ab/two', 'blobs/cd/three');
  expect([...folders.namesIn('')]).toEqual(['plan.bin', 'blobs']);
  expect([...folders.namesIn('blobs')]).toEqual(['ab', 'cd']);
  expect([...folders.namesIn('blobs/ab')]).toEqual(['one', 'two']);
  expect([...folders.namesIn('plan.bin')]).toEqual([]);
  expect(folders.has('blobs/cd')).toBe(true);
  expect(folders.has('blobs/cd/three')).toBe(false);
});

test('a folder goes with the last file in it', () => {
  const folders = indexOf('blobs/ab/one', 'blobs/ab/two', 'blobs/cd/three');
  folders.remove('blobs/ab/one');
  expect([...folders.namesIn('blobs/ab')]).toEqual(['two']);
  folders.remove('blobs/ab/two');
  expect(folders.has('blobs/ab')).toBe(false);
  expect([...folders.namesIn('blobs')]).toEqual(['cd']);
  folders.remove('blobs/cd/three');
  expect([...folders.namesIn('')]).toEqual([]);
  expect(folders.has('')).toBe(true);
});

function indexOf(...paths: readonly string[]): FolderIndex {
  const folders = new FolderIndex();
  for (const path of paths) folders.add(path);
  return folders;
}
