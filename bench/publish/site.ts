import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The page that changes. */
export const PAGE = 'page.html';

/** Writes a site: half of it text, half of it noise, as pages and pictures are; sizes from 1/8 to 2. */
export async function writeSite(
  folder: string,
  { files, sizeBytes }: { readonly files: number; readonly sizeBytes: number },
): Promise<void> {
  const meanBytes = sizeBytes / files;
  let writtenBytes = 0;
  for (let index = 1; index < files; index += 1) {
    const into = join(folder, `part-${index % 100}`);
    if (index <= 100) await mkdir(into, { recursive: true });
    const shareOfMean = 0.125 + ((index * 37) % 1000) / 570;
    const left = sizeBytes - writtenBytes;
    const length = Math.round(index === files - 1 ? left : Math.min(left, meanBytes * shareOfMean));
    writtenBytes += length;
    const isText = index % 2 === 0;
    const name = isText ? `page-${index}.html` : `picture-${index}.png`;
    await writeFile(join(into, name), isText ? textOf(index, length) : noiseOf(index, length));
  }
  await changePage(folder, 0);
}

/** Another text, told back. */
export async function changePage(folder: string, number: number): Promise<string> {
  const text = `<h1>version ${number}</h1>`;
  await writeFile(join(folder, PAGE), text);
  return text;
}

function textOf(index: number, length: number): Buffer {
  const words =
    noiseOf(index, 4096)
      .toString('hex')
      .match(/.{1,7}/g) ?? [];
  return Buffer.alloc(length, `<p>${words.join(' ')}</p>\n`);
}

/** The same on each run. */
function noiseOf(index: number, length: number): Buffer {
  return createHash('shake256', { outputLength: Math.max(1, length) })
    .update(String(index))
    .digest();
}
