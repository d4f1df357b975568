import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sim } from './run/surroundings.fixture.ts';

/** With a bug in it, each run fails within seconds. */
const MUTATED = {
  name: 'with a mutant',
  env: { MUTANT: 'order-placed-before-stored' },
  flags: ['--import', join(import.meta.dirname, 'mutants/register.ts')],
};
const SMALL = ['--seed', '1631', '--profile', 'short', '--faults', 'none', '--sites', 'plain'];
const SMALLER = ['--subs', '1', '--operations', '0', '--storm-ms', '5000'];

test('one seed that fails is made smaller, and tells how to replay what is left', async () => {
  const { output, exitCode } = await sim([...SMALL, ...SMALLER, '--shrink'], MUTATED);
  expect(output).toMatch(/^INV-30: .*; replay: make sim SEED=1631 /m);
  const smallest = 'PROFILE=short SITES=plain FAULTS=none SUBS=1 OPERATIONS=0';
  expect(output).toContain(`smallest: make sim SEED=1631 ${smallest} CLIENTS=1 STORM_MS=5000`);
  expect(exitCode).toBe(1);
});

test('faults that there are not are refused with those that there are', async () => {
  const { output, exitCode } = await sim(['--seed', '7', '--faults', 'crash,rain']);
  expect(output).toMatch(/there is no fault rain; there are: none, crash, pause, .*, watch-delay/);
  expect(exitCode).toBe(1);
});
