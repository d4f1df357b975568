import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** More bytes than b8s keeps in memory. */
export const MANY = { files: 10_000, bytesEach: 8 * 1024 } as const;

export const FILES = {
  small: { path: '/small.bin', sizeBytes: 1024 },
  medium: { path: '/medium.bin', sizeBytes: 100 * 1024 },
  large: { path: '/large.bin', sizeBytes: 10 * 1024 * 1024 },
  text: { path: '/text.css', sizeBytes: 100 * 1024 },
} as const;

export function manyPath(index: number): string {
  return `/many/${index % 100}/${index}.bin`;
}

/** Writes the site, with the text compressed beside it. */
export async function writeSite(root: string): Promise<void> {
  await mkdir(root, { recursive: true });
  for (const { path, sizeBytes } of [FILES.small, FILES.medium, FILES.large])
    await writeFile(join(root, path), randomBytes(sizeBytes));
  const text = cssOf(FILES.text.sizeBytes);
  await writeFile(join(root, FILES.text.path), text);
  await writeFile(join(root, `${FILES.text.path}.gz`), gzipSync(text, { level: 9 }));
  for (let folder = 0; folder < 100; folder += 1)
    await mkdir(join(root, `many/${folder}`), { recursive: true });
  for (let index = 0; index < MANY.files; index += 1)
    await writeFile(join(root, manyPath(index)), randomBytes(MANY.bytesEach));
}

/** Compresses to about a fifth, as style sheets do. */
function cssOf(sizeBytes: number): Buffer {
  let text = '';
  while (text.length < sizeBytes) {
    const name = randomBytes(6).toString('hex');
    text += `.part-${name} {\n  margin: ${text.length % 97}px auto;\n  color: #${name.slice(0, 6)};\n  display: flex;\n  padding: 0 1rem;\n  border: 1px solid currentColor;\n}\n`;
  }
  return Buffer.from(text.slice(0, sizeBytes));
}
