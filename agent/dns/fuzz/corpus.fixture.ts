import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Inputs that long runs found to reach code which others do not, and those that once were wrong:
 * `corpus/<target>.txt`, one in hex a line, `#` begins a comment. `make fuzz` prints such lines.
 */
export function readCorpus(target: string): readonly Buffer[] {
  const path = corpusPath(target);
  if (!existsSync(path)) return [];
  const text = readFileSync(path, 'utf8');
  const lines = text.split('\n').map((line) => line.replace(/#.*/, '').trim());
  return lines.filter((line) => line !== '').map((line) => Buffer.from(line, 'hex'));
}

export function corpusPath(target: string): string {
  return join(import.meta.dirname, 'corpus', `${target}.txt`);
}
