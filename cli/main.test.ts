import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));

/** Runs the real process; `reader` decides how much of its output is read. */
async function b8sctl(words: readonly string[], reader: 'all' | 'none' = 'all') {
  const child = spawn(process.execPath, [MAIN, ...words], {
    env: { B8SCONFIG: '/nowhere/config' },
  });
  let [out, error] = ['', ''];
  if (reader === 'none') child.stdout.destroy();
  else child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (error += chunk.toString()));
  const code = await new Promise((resolve) => child.once('close', resolve));
  return { out, error, code };
}

test('data goes to stdout', async () => {
  expect(await b8sctl(['version', '--client'])).toEqual({
    out: 'Client Version: 0.1.0\n',
    ...{ error: '', code: 0 },
  });
});

test('a missing config is told on stderr, with the way out', async () => {
  const { out, error, code } = await b8sctl(['get', 'sites']);
  expect({ out, code }).toEqual({ out: '', code: 1 });
  expect(error).toMatch(/^error: no config at \/nowhere\/config: /);
});

test('a reader that has seen enough ends it quietly', async () => {
  expect(await b8sctl(['explain', 'site'], 'none')).toEqual({ out: '', error: '', code: 0 });
});
