import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { addonFile } from '../../runtime/node/udp-batch/addon.ts';

export type NativeOutcome =
  | { readonly kind: 'built'; readonly path: string }
  /** Everything works without it, but nameservers are slower. */
  | { readonly kind: 'left out'; readonly why: string };

const SOURCE = 'runtime/node/udp-batch/udp-batch.c';
const HEADERS = 'node_modules/node-api-headers/include';
const FLAGS = ['-std=c11', '-O2', '-g0', '-Wall', '-Wextra', '-Werror', '-fPIC', '-shared'];
/** Overflows are found by the compiler or end the program; nothing is bound late. */
const HARDENING = ['-D_FORTIFY_SOURCE=2', '-fstack-protector-strong', '-Wl,-z,relro,-z,now'];

/**
 * Compiles what is written in C into the folder `out`, for this machine: with the compiler that CC
 * names, or cc. What is there already and not older than its source stays.
 *
 * Errors: throws when there is a compiler and it fails.
 */
export function buildNative({
  root,
  out,
}: {
  readonly root: string;
  readonly out: string;
}): NativeOutcome {
  if (process.platform !== 'linux') return leftOut(`it is for Linux, not ${process.platform}`);
  const headers = join(root, HEADERS);
  if (!existsSync(headers)) return leftOut(`there is no ${HEADERS}: run "npm install"`);
  const source = join(root, SOURCE);
  const path = join(out, addonFile());
  if (isNewer(path, source)) return { kind: 'built', path };
  mkdirSync(dirname(path), { recursive: true });
  const compiler = process.env['CC'] ?? 'cc';
  // Whoever has the old one open keeps it.
  const made = `${path}.${process.pid}`;
  // Relative, so that the same source gives the same bytes wherever it lies.
  const args = [...FLAGS, ...HARDENING, '-I', HEADERS, '-o', made, SOURCE];
  const run = spawnSync(compiler, args, { cwd: root, encoding: 'utf8' });
  if (run.error !== undefined)
    return leftOut(`there is no compiler "${compiler}": install gcc and libc6-dev`);
  if (run.status !== 0) {
    const mend = 'mend it, or go without: CC=none';
    throw new Error(`${compiler} ${args.join(' ')} (${mend})\n${run.stderr}`);
  }
  renameSync(made, path);
  return { kind: 'built', path };
}

function isNewer(path: string, source: string): boolean {
  return existsSync(path) && statSync(path).mtimeMs >= statSync(source).mtimeMs;
}

function leftOut(why: string): NativeOutcome {
  return { kind: 'left out', why };
}
