import { expect, test } from 'vitest';
import { memoryDisk } from '../../runtime/disk/memory-disk.ts';
import { systemRandom } from '../../runtime/node/random.ts';
import { loadSealKey, SEAL_KEY_PATH } from './seal-key.ts';
import { createSealer, SEAL_KEY_BYTES } from './sealer.ts';

const random = systemRandom();
const sealer = createSealer({ key: random.bytes(SEAL_KEY_BYTES), random });

test('what was sealed opens with the same key and context', () => {
  for (const secret of ['', 'a', 'größer als ASCII', 'x'.repeat(100_000)]) {
    const sealed = sealer.seal(secret, 'material/1');
    expect(sealed).toMatch(/^v1\.[A-Za-z0-9_-]+$/);
    expect(sealer.open(sealed, 'material/1')).toBe(secret);
  }
});

test('the same secret is never sealed to the same text', () => {
  expect(sealer.seal('secret', 'c')).not.toBe(sealer.seal('secret', 'c'));
});

test.each([
  { when: 'the context is another', context: 'material/2', change: (text: string) => text },
  { when: 'the last byte changed', context: 'material/1', change: flipLast },
  { when: 'it is cut', context: 'material/1', change: (text: string) => text.slice(0, -4) },
  {
    when: 'it is cut into the tag',
    context: 'material/1',
    change: () => 'v1.AAAAAAAAAAAAAAAAAAAA',
  },
  {
    when: 'it is of another version',
    context: 'material/1',
    change: (text: string) => `v2${text.slice(2)}`,
  },
  { when: 'it is empty', context: 'material/1', change: () => '' },
])('nothing opens when $when, and the error names the context only', ({ context, change }) => {
  const sealed = change(sealer.seal('a secret', 'material/1'));
  expect(() => sealer.open(sealed, context)).toThrow(`sealed for ${context}`);
});

test('nothing opens with another key', () => {
  const other = createSealer({ key: random.bytes(SEAL_KEY_BYTES), random });
  expect(() => other.open(sealer.seal('a secret', 'c'), 'c')).toThrow('another key');
});

test('a key of another length is refused', () => {
  expect(() => createSealer({ key: random.bytes(16), random })).toThrow('16 bytes');
});

test('the key is made once and stays', async () => {
  const disk = memoryDisk();
  const first = await loadSealKey({ disk, random });
  expect(Buffer.from(await loadSealKey({ disk, random })).equals(first)).toBe(true);
});

test('a damaged key file is an error, never a reason for a new key', async () => {
  const disk = memoryDisk();
  await disk.write(SEAL_KEY_PATH, Buffer.from(''));
  await expect(loadSealKey({ disk, random })).rejects.toThrow('backup');
});

function flipLast(text: string): string {
  return `${text.slice(0, -1)}${text.endsWith('A') ? 'Q' : 'A'}`;
}
