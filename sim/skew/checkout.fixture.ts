import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Of the repository; packages are found from below it, too. */
export const ROOT = join(import.meta.dirname, '../..');
const FOLDER = join(ROOT, '.b8s/skew');
/** All that the code of a node and of a dom imports. */
const ROOMS = ['agent', 'api', 'controllers', 'dom', 'proto', 'runtime', 'package.json'];

/**
 * Puts the production code of a commit, a tag or a branch into a folder of its own, once, and
 * returns that. Throws an Error when the repository does not have it.
 */
export function checkOut(reference: string): string {
  const commit = git('rev-parse', '--verify', '--short=12', `${reference}^{commit}`).trim();
  const folder = join(FOLDER, commit);
  if (existsSync(folder)) return folder;
  const unfinished = `${folder}.${process.pid}`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  const input = execFileSync('git', ['archive', commit, ...ROOMS], {
    cwd: ROOT,
    maxBuffer: ARCHIVE_BYTES_MAX,
  });
  execFileSync('tar', ['-x', '-C', unfinished], { input });
  renameSync(unfinished, folder);
  return folder;
}

/** Whether the repository has that commit: a shallow clone does not. */
export function hasCommit(commit: string): boolean {
  try {
    git('cat-file', '-e', `${commit}^{commit}`);
    return true;
  } catch {
    return false;
  }
}

const ARCHIVE_BYTES_MAX = 256 * 1024 * 1024;

function git(...args: readonly string[]): string {
  return execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', stdio: 'pipe' });
}
