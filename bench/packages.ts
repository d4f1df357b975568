import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, rm, writeFile } from 'node:fs/promises';

/** One of Debian's, with a file that shows that it is there. */
export interface Package {
  readonly name: string;
  readonly file: string;
}

const POLICY = '/usr/sbin/policy-rc.d';

/** Installs what is missing, where this is root on Debian; throws a message that says what to do. */
export async function installPackages(wanted: readonly Package[]): Promise<void> {
  const isThere = await Promise.all(wanted.map(({ file }) => exists(file)));
  const missing = wanted.filter((_, index) => isThere[index] === false).map(({ name }) => name);
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0 || !(await exists('/usr/bin/apt-get'))) {
    throw new Error(`the benchmark needs Debian's packages ${missing.join(' ')}: install them`);
  }
  console.log(`installing ${missing.join(' ')}`);
  // Debian would start the servers; the benchmark starts its own.
  const hadPolicy = await exists(POLICY);
  if (!hadPolicy) await writeFile(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    await run('apt-get', ['update', '-qq']);
    await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing]);
  } finally {
    if (!hadPolicy) await rm(POLICY, { force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function run(command: string, args: readonly string[]): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'], env });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code ?? 'a signal'}`);
}
