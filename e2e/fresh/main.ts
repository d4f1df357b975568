/**
 * Checks that proto/gen is what proto/ gives: generates anew into a scratch folder and compares.
 * Exits 1 and names each file that differs. (docs/reference is checked by api/kinds.test.ts.)
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const scratch = mkdtempSync(join(tmpdir(), 'b8s-fresh-'));

try {
  execFileSync('buf', ['generate', '-o', scratch], { cwd: root, stdio: 'inherit' });
  const stale = differences('proto/gen');
  for (const path of stale) console.error(`${path} is not what its source gives: run make gen`);
  process.exitCode = stale.length > 0 ? 1 : 0;
} finally {
  rmSync(scratch, { recursive: true });
}

function differences(folder: string): readonly string[] {
  const names = new Set([...filesIn(join(root, folder)), ...filesIn(join(scratch, folder))]);
  const differs = (name: string): boolean =>
    contents(join(root, folder, name)) !== contents(join(scratch, folder, name));
  return [...names]
    .toSorted()
    .filter(differs)
    .map((name) => join(folder, name));
}

function filesIn(folder: string): readonly string[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => statSync(join(folder, name)).isFile());
}

function contents(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
