import { access, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../e2e/support/processes.ts';

const INSTALLED = '/usr/bin/kubectl';
const PACKAGE = 'kubernetes-client';

/**
 * Debian's kubectl: the installed one, or one unpacked into `folder`, because another package may
 * have that file here. Undefined, and said, where neither is to be had.
 */
export async function debianKubectl(folder: string): Promise<string | undefined> {
  const owner = await run('dpkg-query', ['-S', INSTALLED]).catch(() => undefined);
  if (owner?.stdout.startsWith(`${PACKAGE}:`) === true) return INSTALLED;
  const to = join(folder, 'kubectl');
  await mkdir(to);
  // Where the folder is apt's own user's to write to, apt says nothing.
  const loaded = await run('apt-get', ['download', '-qq', PACKAGE], { cwd: to }).catch(
    () => undefined,
  );
  const [file] = (await readdir(to)).filter((name) => name.endsWith('.deb'));
  if (loaded?.exitCode !== 0 || file === undefined) {
    console.log(`without kubectl: apt-get download ${PACKAGE} did not work; try apt-get update`);
    return undefined;
  }
  await run('dpkg-deb', ['-x', join(to, file), to]);
  const kubectl = join(to, INSTALLED);
  await access(kubectl);
  return kubectl;
}
