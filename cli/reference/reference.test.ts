import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { commands } from '../commands.ts';
import { renderCommandReference } from './reference.ts';

const PAGE = join(import.meta.dirname, '..', '..', 'docs', 'b8sctl.md');

test('docs/b8sctl.md is fresh (make gen)', async () => {
  expect(readFileSync(PAGE, 'utf8')).toBe(await renderCommandReference());
  // It loads every command, which takes a while on a busy machine.
}, 60_000);

test('every command has a summary, and an example unless it takes no words', async () => {
  const page = await renderCommandReference();
  const chapters = page.split(/^(?=### )/m).slice(1);
  for (const { name } of commands) {
    const own = chapters.filter(
      (each) => each.startsWith(`### ${name}\n`) || each.startsWith(`### ${name} `),
    );
    expect(own.length, name).toBeGreaterThan(0);
    const isPlain = ['api-resources', 'version', 'auth', 'plugin'].includes(name);
    if (!isPlain) expect(own.join(''), name).toMatch(/^Examples?:$/m);
  }
});
