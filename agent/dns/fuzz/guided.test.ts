import { execFile } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { readCorpus } from './corpus.fixture.ts';
import { TARGETS } from './targets.fixture.ts';

const SEED = 0x5eed;
const RUNS = 4000;
/** Of a process of its own, on a machine with other work. */
const PATIENCE_MS = 60_000;

/** In a process of its own; rejects with what it said when it exits with 1. */
async function fuzz(...words: readonly string[]): Promise<string> {
  const main = join(import.meta.dirname, 'main.ts');
  const given = [main, '--seed', String(SEED), ...words];
  const { stdout } = await promisify(execFile)(process.execPath, given);
  return stdout;
}

test(
  'coverage leads through three bytes, which chance would find once in 16 million',
  async () => {
    const found = fuzz('--target', 'lock', '--runs', '200000');
    await expect(found).rejects.toMatchObject({ stdout: expect.stringContaining('find 421399') });
  },
  PATIENCE_MS,
);

describe.each(TARGETS)('$name', (target) => {
  test('every input of the corpus', () => {
    for (const input of readCorpus(target.name)) target.check(input);
  });

  test(
    `${RUNS} inputs (seed ${SEED}); more: make fuzz MINUTES=n`,
    async () => {
      const said = await fuzz('--target', target.name, '--runs', String(RUNS));
      expect(Number(/(\d+) runs/.exec(said)?.[1])).toBeGreaterThanOrEqual(RUNS);
    },
    PATIENCE_MS,
  );
});
