import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderCommandReference } from './reference.ts';

// Writes docs/b8sctl.md from the commands; run by `make gen`.
const path = join(import.meta.dirname, '..', '..', 'docs', 'b8sctl.md');
writeFileSync(path, await renderCommandReference());
