import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { takeSlots } from '../runtime/slots.ts';
import { allScenarios, readObserved } from '../sim/scenarios/files.fixture.ts';
import type { Scene } from '../sim/scenarios/look.ts';
import { observe } from '../sim/scenarios/observe.ts';
import { play } from '../sim/scenarios/play.ts';
import type { Scenario } from '../sim/scenarios/scenario.ts';
import { run } from './support/processes.ts';
import { openRealStage } from './support/real-stage.ts';
import { missing } from './support/stores.ts';

/** Clusters at a time: they wait for most of their lives. */
const AT_ONCE = 4;
/** Longer than all leases: by then nothing more would change by itself. */
const SETTLE_MS_MAX = 45_000;
const LOOK_MS = 500;
/** Of all of them: those that come last wait for their turn. */
const TIMEOUT_MS = 600_000;

const scenarios = allScenarios();
const inSlot = takeSlots(AT_ONCE);
const withoutEtcd = await missing('etcd');
const scratch = mkdtempSync(join(tmpdir(), 'b8s-build-'));

beforeAll(async () => {
  // Some hundred processes are started: as bundles they take three quarters of the time.
  const main = resolve(import.meta.dirname, '../bin/build/main.ts');
  const built = await run(process.execPath, [main, '--no-geo', '--out', join(scratch, 'built')]);
  expect(built).toMatchObject({ exitCode: 0, stderr: '' });
  // The launchers take the node of the PATH.
  process.env['PATH'] = `${dirname(process.execPath)}${delimiter}${process.env['PATH']}`;
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe('with real processes a scenario ends as it does in simulation', () => {
  for (const [index, scenario] of scenarios.entries()) {
    const { name, title, topology } = scenario;
    const reason = topology.doms > 1 ? withoutEtcd : undefined;
    const suffix = reason === undefined ? '' : ` (skipped: ${reason})`;
    test
      .skipIf(reason !== undefined)
      .concurrent(
        `${name}: ${title}${suffix}`,
        () => inSlot(() => playForReal(scenario, index + 1)),
        TIMEOUT_MS,
      );
  }
});

async function playForReal(scenario: Scenario, index: number): Promise<void> {
  const kept = readObserved(scenario);
  const stage = await openRealStage(scenario, { index, bin: join(scratch, 'built', 'bin') });
  try {
    const scene = await play(scenario, stage);
    const observed = await settled(scene, kept);
    expect(observed).toBe(kept);
  } finally {
    await stage.dispose();
  }
}

/** What is seen once it is what it should be; or what is still seen when it is too late. */
async function settled(scene: Scene, kept: string): Promise<string> {
  const deadlineMs = performance.now() + SETTLE_MS_MAX;
  for (;;) {
    const observed = await observe(scene);
    if (observed === kept || performance.now() > deadlineMs) return observed;
    await pause(LOOK_MS);
  }
}
