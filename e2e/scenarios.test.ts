import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { takeSlots } from '../runtime/slots.ts';
import { allScenarios, readObserved } from '../sim/scenarios/files.fixture.ts';
import type { Scene } from '../sim/scenarios/look.ts';
import { observe } from '../sim/scenarios/observe.ts';
import { play } from '../sim/scenarios/play.ts';
import type { Scenario } from '../sim/scenarios/scenario.ts';
import { openRealStage } from './support/real-stage.ts';
import { missing } from './support/stores.ts';

/** Clusters at a time: they wait for most of their lives. */
const AT_ONCE = 3;
/** Longer than all leases: by then nothing more would change by itself. */
const SETTLE_MS_MAX = 45_000;
const LOOK_MS = 500;

const scenarios = allScenarios();
const inSlot = takeSlots(AT_ONCE);
const withoutEtcd = await missing('etcd');

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
        600_000,
      );
  }
});

async function playForReal(scenario: Scenario, index: number): Promise<void> {
  const kept = readObserved(scenario);
  const stage = await openRealStage(scenario, index);
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
