import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { guarded } from './engine/guard.ts';
import { geo } from './run/geo.fixture.ts';
import { drawSetting } from './run/setting.ts';
import { World } from './run/world.ts';

/** As many as two cores rehearse in half a minute. */
const SEEDS = 200;
const SHARDS = 2;

/** In processes of their own, so that they use all cores and are what `make sim SEED=n` replays. */
test.concurrent.each(shards())('seeds %s converge, and every invariant holds', async (seeds) => {
  const { output } = await sim(['--seeds', seeds]);
  expect(output).toContain('all hold');
});

test('the same seed gives the same trace (INV-40)', async () => {
  for (let seed = 1; seed <= 10; seed += 1) {
    const [one, other] = [await hashOf(seed), await hashOf(seed)];
    expect(other, `INV-40: seed ${seed}; replay: make sim SEED=${seed}`).toBe(one);
  }
});

test('neither time zone nor language of the machine are in the trace (INV-40)', async () => {
  const env = { TZ: 'Pacific/Chatham', LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8' };
  const { output } = await sim(['--seed', '7', '--profile', 'short', '--hash'], env);
  expect(output.trim()).toBe(await hashOf(7));
});

test('seeds differ', async () => {
  expect(await hashOf(1)).not.toBe(await hashOf(2));
});

async function hashOf(seed: number): Promise<string> {
  const setting = drawSetting(seed, 'short');
  const world = new World(setting, { keep: 'hash', geo, replay: `make sim SEED=${seed}` });
  const { hash } = await guarded(() => world.run());
  return hash;
}

function shards(): readonly string[] {
  const size = SEEDS / SHARDS;
  return Array.from({ length: SHARDS }, (_, i) => `${i * size + 1}..${(i + 1) * size}`);
}

/** Runs the simulation's command; its output, also where it fails. */
async function sim(
  args: readonly string[],
  env: object = {},
): Promise<{ readonly output: string }> {
  const main = join(import.meta.dirname, 'main.ts');
  return promisify(execFile)(process.execPath, [main, ...args], {
    env: { ...process.env, ...env },
  }).then(
    ({ stdout }) => ({ output: stdout }),
    (error: { stdout?: string; stderr?: string }) => ({
      output: `${error.stdout}${error.stderr}`,
    }),
  );
}
