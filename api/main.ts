import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kinds } from './kinds.ts';
import { renderReference } from './reference.ts';
import { editorSchema } from './schema.ts';

// Writes docs/reference from the kinds; run by `make gen`.
const folder = join(import.meta.dirname, '..', 'docs', 'reference');
mkdirSync(folder, { recursive: true });
for (const kind of kinds) writeFileSync(join(folder, `${kind.plural}.md`), renderReference(kind));
writeFileSync(join(folder, 'b8s.schema.json'), `${JSON.stringify(editorSchema(), null, 2)}\n`);
