import { expect, test } from 'vitest';
import { RARE_PATHS } from './check/sometimes.ts';
import { fixedSettings } from './run/fixed.ts';
import { ABROAD, HERE, sim } from './run/surroundings.fixture.ts';

/** As many places as there is time for; `make sim CRASH_POINTS=1` visits them all. */
const CRASH_POINTS_EVERY = '47';

/**
 * One process each, so that both cores have something to do, and what they find can be compared:
 * the same seeds in other surroundings must give the same traces (INV-40).
 */
const runs = [HERE, ABROAD].map((surroundings) => ({
  surroundings,
  outcome: sim(['--fixed', '--hashes', '--rare-paths', '--jobs', '1'], surroundings),
}));

test.each(runs)('the fixed set of seeds holds $surroundings.name', async ({ outcome }) => {
  const { output, hashes } = await outcome;
  expect(output).toContain('all hold');
  expect(hashes.size).toBe(fixedSettings().length);
});

test('the fixed set gives the same traces in other surroundings (INV-40)', async () => {
  const [here, abroad] = await Promise.all(runs.map(({ outcome }) => outcome));
  expect(abroad?.hashes).toEqual(here?.hashes);
});

test('the fixed set reaches every rare path', async () => {
  const output = (await runs[0]?.outcome)?.output ?? '';
  const missed = RARE_PATHS.filter((path) => new RegExp(`${path} +NEVER`).test(output));
  expect(missed).toEqual([]);
});

test('a crash after a side effect costs nothing, be it any', async () => {
  const { output } = await sim(['--crash-points', CRASH_POINTS_EVERY]);
  expect(output).toContain('all hold');
});
