import { describe, expect, test } from 'vitest';
import { RARE_PATHS } from './check/sometimes.ts';
import { fixedSettings } from './run/fixed.ts';
import { ABROAD, CRAMPED, HERE, type SimOutput, sim } from './run/surroundings.fixture.ts';

/** As many places as there is time for; `make sim CRASH_POINTS=1` visits them all. */
const CRASH_POINTS_EVERY = '127';
/** A sample of the fixed set, where all is slow. */
const CRAMPED_SEEDS = '1..10';
const SMALL = ['--profile', 'short'];
/** As the first of its process. */
const ALONE = [1, 7];

/**
 * One process each, so that both cores have something to do, and what they find can be compared:
 * the same seeds in other surroundings must give the same traces (INV-40).
 */
const runs = [HERE, ABROAD].map((surroundings) => ({
  surroundings,
  outcome: sim(['--fixed', '--hashes', '--rare-paths', '--jobs', '1'], surroundings),
}));
const here = async (): Promise<SimOutput | undefined> => runs[0]?.outcome;

test.each(runs)('the fixed set of seeds holds $surroundings.name', async ({ outcome }) => {
  const { output, hashes } = await outcome;
  expect(output).toContain('all hold');
  expect(hashes.size).toBe(fixedSettings().length);
});

test('the fixed set gives the same traces in other surroundings (INV-40)', async () => {
  const [one, abroad] = await Promise.all(runs.map(({ outcome }) => outcome));
  expect(abroad?.hashes).toEqual(one?.hashes);
});

test('another seed gives another trace', async () => {
  const hashes = [...((await here())?.hashes.values() ?? [])];
  expect(new Set(hashes).size).toBe(fixedSettings().length);
});

test('the fixed set reaches every rare path', async () => {
  const output = (await here())?.output ?? '';
  const missed = RARE_PATHS.filter((path) => new RegExp(`${path} +NEVER`).test(output));
  expect(missed).toEqual([]);
});

// At the same time, so that no core rests while the longest of them ends.
describe.concurrent('the same seed gives the same trace (INV-40), and a crash costs nothing', () => {
  test('whatever became of memory, and whatever ran before', async () => {
    const args = ['--seeds', CRAMPED_SEEDS, '--hashes', '--jobs', '1', ...SMALL];
    const { hashes } = await sim(args, CRAMPED);
    expect(hashes.size).toBe(10);
    const known = (await here())?.hashes;
    for (const [name, hash] of hashes) expect(hash, name).toBe(known?.get(name));
  });

  test.each(ALONE)('seed %i, in a process that has run no other', async (seed) => {
    const { output } = await sim(['--seed', `${seed}`, '--hash', ...SMALL], HERE);
    expect(output.trim()).toBe((await here())?.hashes.get(`short:${seed}`));
  });

  test('a crash after a side effect, be it any', async () => {
    const { output } = await sim(['--crash-points', CRASH_POINTS_EVERY]);
    expect(output).toContain('all hold');
  });

  test('the crash points of one run', async () => {
    const { output } = await sim(['--crash-points', '500', '--seed', '3', ...SMALL]);
    expect(output).toMatch(/^2 runs, .* all hold$/mu);
  });
});
