import { describe, expect, test } from 'vitest';
import { ABROAD, CRAMPED, HERE, sim } from './surroundings.fixture.ts';

/** A tenth of the fixed set, which runs twice as a whole: see `sim.test.ts`. */
const SEEDS = '1..20';
const SMALL = ['--profile', 'short'];
/** As the first of its process. */
const ALONE = [1, 7, 20];

describe('the same seed gives the same trace (INV-40)', async () => {
  const here = sim(['--seeds', SEEDS, '--hashes', ...SMALL]);

  test.each([ABROAD, CRAMPED])('$name', async (surroundings) => {
    const { hashes } = await here;
    const other = await sim(['--seeds', SEEDS, '--hashes', '--jobs', '1', ...SMALL], surroundings);
    expect([...other.hashes]).toHaveLength(20);
    for (const [seed, hash] of other.hashes)
      expect(hash, `INV-40: seed ${seed} differs ${surroundings.name}`).toBe(hashes.get(seed));
  });

  test.each(ALONE)('seed %i, in a process that has run no other', async (seed) => {
    const { output } = await sim(['--seed', `${seed}`, '--hash', ...SMALL], HERE);
    expect(output.trim()).toBe((await here).hashes.get(`short:${seed}`));
  });

  test('another seed gives another one', async () => {
    const { hashes } = await here;
    expect(new Set(hashes.values()).size).toBe(hashes.size);
  });
});
