import { describe, expect, test } from 'vitest';
import { CRAMPED, HERE, sim } from './surroundings.fixture.ts';

/** A sample: the whole fixed set runs here and abroad, see `sim.test.ts`. */
const SEEDS = '1..10';
const SMALL = ['--profile', 'short'];
/** As the first of its process. */
const ALONE = [1, 7];

describe('the same seed gives the same trace (INV-40)', () => {
  const here = sim(['--seeds', SEEDS, '--hashes', ...SMALL]);

  test('whatever became of memory, and whichever process runs it', async () => {
    const args = ['--seeds', SEEDS, '--hashes', '--jobs', '1', ...SMALL];
    const [one, other] = await Promise.all([here, sim(args, CRAMPED)]);
    expect(one.hashes.size).toBe(10);
    expect(other.hashes).toEqual(one.hashes);
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
