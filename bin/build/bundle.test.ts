import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Metafile } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundle } from './bundle.ts';

/*
 * What a program imports it holds in memory: its text, and about as much again once it ran. So what a
 * sub reads at its start is looked at here; what it needs now and then has an `import()` of its own.
 */
const out = mkdtempSync(join(tmpdir(), 'b8s-bundle-'));
afterAll(() => rmSync(out, { recursive: true, force: true }));

/** Two seconds of work; a busy machine is no failure. */
const BUNDLED_MS_MAX = 120_000;

let metafile: Metafile;
beforeAll(async () => {
  metafile = await bundle({ root: join(import.meta.dirname, '../..'), out });
}, BUNDLED_MS_MAX);

/**
 * Source files that end up in what `program` reads at its start, with the bytes they take there;
 * modules of Node that it imports have none.
 */
function readAtStart(program: string): ReadonlyMap<string, number> {
  const { outputs } = metafile;
  const next = Object.keys(outputs).filter((path) => basename(path) === `${program}.mjs`);
  const seen = new Set<string>();
  const files = new Map<string, number>();
  for (let path = next.pop(); path !== undefined; path = next.pop()) {
    const output = outputs[path];
    if (output === undefined || seen.has(path)) continue;
    seen.add(path);
    for (const { path: imported, kind, external } of output.imports) {
      if (kind !== 'import-statement') continue;
      if (external === true) files.set(imported, 0);
      else next.push(imported);
    }
    for (const [file, { bytesInOutput }] of Object.entries(output.inputs))
      if (bytesInOutput > 0) files.set(file, (files.get(file) ?? 0) + bytesInOutput);
  }
  return files;
}

const NOT_FOR_SUBS =
  /(?:^|\/)(?:api\/schemas|cli|controllers|dom|runtime\/(?:git|sops))\/|node_modules\/(?:ajv|age-encryption|openpgp|prom-client|protobufjs|typebox|yaml)\//u;

test.each([
  { program: 'sub', kilobytesMax: 1500 },
  // Of what a kind of worker needs each loads its own.
  { program: 'plane-worker', kilobytesMax: 20 },
])('$program reads no more than it needs when it starts', ({ program, kilobytesMax }) => {
  const files = readAtStart(program);
  const bytes = [...files.values()].reduce((sum, each) => sum + each, 0);
  expect(bytes).toBeGreaterThan(1000);
  expect([...files.keys()].filter((file) => NOT_FOR_SUBS.test(file))).toEqual([]);
  const largest = [...files].toSorted((a, b) => b[1] - a[1]).slice(0, 10);
  expect(bytes / 1000, JSON.stringify(largest)).toBeLessThan(kilobytesMax);
});

test.each(['sub', 'plane-worker'])('%s imports no module of Node that loads fetch', (program) => {
  const imported = [...readAtStart(program).keys()].filter((path) => path.startsWith('node:'));
  expect(imported).toContain('node:worker_threads');
  // 3 MB: see `runtime/node/http-module.ts`.
  expect(imported.filter((path) => /^node:https?$/u.test(path))).toEqual([]);
});

test('dom alone can read .proto files while it runs', () => {
  const reads = (program: string): boolean =>
    [...readAtStart(program).keys()].some((file) => file.includes('@grpc/proto-loader'));
  expect([reads('dom'), reads('sub'), reads('b8sctl')]).toEqual([true, false, false]);
});
