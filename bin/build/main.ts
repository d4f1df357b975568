/** `make build`: one folder that runs on any machine with Node. docs/building.md tells of it. */
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { bundle } from './bundle.ts';
import { archive, copyAssets, linkGeo, writeLicenses, writePrograms } from './folder.ts';
import { NATIVE_FOLDER } from './moved.ts';
import { buildNative } from './native.ts';

const root = join(import.meta.dirname, '../..');
const { values } = parseArgs({
  options: {
    out: { type: 'string', default: join(root, 'dist') },
    geo: { type: 'boolean', default: true },
  },
  allowNegative: true,
});

await run({ out: resolve(values.out), geo: values.geo });

async function run({ out, geo }: { readonly out: string; readonly geo: boolean }): Promise<void> {
  clear(out);
  const { inputs } = await bundle({ root, out: join(out, 'lib') });
  copyAssets({ root, out });
  writePrograms(out);
  writeLicenses({ root, out, inputs });
  const native = buildNative({ root, out: join(out, NATIVE_FOLDER) });
  const file = archive(out);
  say('programs', sizeBytes(out) - sizeBytes(file));
  if (native.kind === 'left out') console.log(`without native/: ${native.why}`);
  say(relative(out, file), sizeBytes(file));
  if (geo) say('geo', linkGeo({ root, out }));
}

/** An earlier build goes; anything else stays, and nothing is built over it. */
function clear(out: string): void {
  const foreign =
    existsSync(out) && readdirSync(out).length > 0 && !existsSync(join(out, 'dom.mjs'));
  if (foreign) throw new Error(`${out} holds something else than a build: name another --out`);
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
}

function sizeBytes(path: string): number {
  if (!statSync(path).isDirectory()) return statSync(path).size;
  return readdirSync(path).reduce((sum, name) => sum + sizeBytes(join(path, name)), 0);
}

function say(what: string, bytes: number): void {
  console.log(`${what.padEnd(24)} ${(bytes / 1e6).toFixed(1).padStart(6)} MB`);
}
