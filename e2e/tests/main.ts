/**
 * Runs the named test projects one after the other, stops at the first that fails, and closes with
 * one line of totals: `N passed, N failed, N skipped`.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Totals {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
}

const root = join(import.meta.dirname, '../..');
const scratch = mkdtempSync(join(tmpdir(), 'b8s-tests-'));
const sum = { passed: 0, failed: 0, skipped: 0 };
let exitCode = 0;

for (const project of process.argv.slice(2)) {
  const report = join(scratch, `${project}.json`);
  const args = ['run', '--project', project, '--reporter=default', '--reporter=json'];
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const run = spawnSync(process.execPath, [vitest, ...args, `--outputFile.json=${report}`], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const totals = read(report);
  sum.passed += totals?.numPassedTests ?? 0;
  sum.failed += totals?.numFailedTests ?? 1;
  sum.skipped += totals?.numPendingTests ?? 0;
  exitCode = run.status ?? 1;
  if (exitCode !== 0) break;
}
rmSync(scratch, { recursive: true });

if (process.env['CI'] === 'true' && sum.skipped > 0 && exitCode === 0) {
  console.error('nothing may be skipped in CI');
  exitCode = 1;
}
console.log(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);
process.exitCode = exitCode;

function read(report: string): Totals | undefined {
  try {
    return JSON.parse(readFileSync(report, 'utf8')) as Totals;
  } catch {
    return undefined;
  }
}
