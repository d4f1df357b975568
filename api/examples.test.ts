import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { kinds } from './kinds.ts';
import { formatViolation, type ManifestDocument, parseManifests } from './manifest.ts';
import { validateObject } from './validate.ts';

/** The manifests to copy are good ones; that dom takes them is shown by e2e/manifests.test.ts. */

const FOLDER = join(import.meta.dirname, '../manifests');
const README = readFileSync(join(FOLDER, 'README.md'), 'utf8');
const FILES = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.ya?ml$/.test(file))
  .toSorted();
/** Made by b8s itself. */
const NOT_WRITTEN: readonly string[] = ['Event', 'Release'];

function documentsOf(file: string): readonly ManifestDocument[] {
  return parseManifests(readFileSync(join(FOLDER, file), 'utf8'), file);
}

test.each(FILES)('%s is as the schemas want it, and README.md tells of it', (file) => {
  const problems = documentsOf(file).flatMap((document) => {
    if (document.kind === 'error') return [document.message];
    const validation = validateObject(document.raw);
    if (validation.kind === 'valid') return [];
    return validation.violations.map((violation) => formatViolation(violation, document));
  });
  expect(problems).toEqual([]);
  expect(README).toContain(`\`${file.includes('/') ? `${file.split('/')[0]}/` : file}\``);
});

test('each kind that people write has an example', () => {
  const shown = FILES.flatMap(documentsOf).map((document) =>
    document.kind === 'error' ? '' : (document.raw as { readonly kind: string }).kind,
  );
  const written = kinds.map(({ kind }) => kind).filter((kind) => !NOT_WRITTEN.includes(kind));
  expect(written.filter((kind) => !shown.includes(kind))).toEqual([]);
});
