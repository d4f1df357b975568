import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import type { PageParts } from './html.ts';

/** The code of the page with all that it imports, and its style. */
export function pageParts(): PageParts {
  const folder = join(import.meta.dirname, 'page');
  const { outputFiles } = buildSync({
    entryPoints: [join(folder, 'main.ts')],
    ...{ bundle: true, write: false, minify: true, format: 'iife', target: 'es2023' },
    logLevel: 'error',
  });
  return {
    script: outputFiles[0]?.text ?? '',
    style: readFileSync(join(folder, 'style.css'), 'utf8'),
  };
}
