import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { guarded } from '../engine/guard.ts';
import { geo } from '../run/geo.fixture.ts';
import { allScenarios, observedFile, readObserved } from './files.fixture.ts';
import { rehearseScenario } from './rehearse.ts';

/** What happens at the same time has another order with each; the end is the same (INV-3). */
const SEEDS = [1, 2];
/** `UPDATE=1`: what is seen now is what is to be seen from now on, in both worlds. */
const update = process.env['UPDATE'] === '1';

const scenarios = allScenarios();

test.each(scenarios)('$name: $title', async (scenario) => {
  for (const seed of SEEDS) {
    const { observed } = await guarded(() => rehearseScenario(scenario, { geo, seed }));
    if (update && seed === SEEDS[0]) writeFileSync(observedFile(scenario), observed);
    const again = `node sim/scenarios/main.ts ${scenario.name} --seed ${seed}`;
    expect(observed, `play it: ${again}; keep what it shows: UPDATE=1`).toBe(
      readObserved(scenario),
    );
  }
});
