import { type Outcome, type Runner, runAll } from './outcome.ts';
import { aimedSetting, changeSetting, drawSetting, type Setting } from './setting.ts';

/** How long a dom that was restarted sees nothing new; longer than controllers take for anything. */
export const LAG_MS = 8_000;

/** Calm worlds whose every side effect is a place to crash at: small, for there are many places. */
export const CRASH_SCENES: readonly Setting[] = [
  ...[
    { seed: 3, doms: 1 },
    { seed: 11, doms: 1 },
    { seed: 5, doms: 2 },
  ].map(({ seed, doms }) =>
    changeSetting(drawSetting(seed, 'short'), {
      ...{ faults: [], doms, subs: 2, users: 1, operations: 5, clients: 2, stormMs: 5_000 },
    }),
  ),
  // Rollouts that overtake one another, orders at a CA, commits of Git that are put back or not meant, a
  // node that is drained; a seed in which dom stays to the end.
  ...['overtaken', 'issued', 'undone', 'emptied', 'drained'].map((aim) => aimedSetting(2, aim)),
];

export interface CrashPointOptions {
  readonly runners: readonly Runner[];
  readonly scenes: readonly Setting[];
  /** Every so many places one: 1 is all of them. */
  readonly every: number;
  readonly onOutcome: (setting: Setting, outcome: Outcome) => void;
  readonly goesOn: () => boolean;
}

/**
 * Learns the side effects of each scene from a run in which nothing happens, then runs it again for
 * each of them, with a crash right after it; and once more with a watch that lags after the restart.
 */
export async function runCrashPoints(options: CrashPointOptions): Promise<void> {
  const { runners, scenes, every, onOutcome, goesOn } = options;
  const effects = new Map<Setting, number>();
  const learn = (scene: Setting, outcome: Outcome): void => {
    onOutcome(scene, outcome);
    effects.set(scene, outcome.kind === 'held' ? outcome.effects : 0);
  };
  await runAll(scenes, { runners, onOutcome: learn, goesOn });
  const places = scenes.flatMap((scene) => [...placesOf(scene, effects.get(scene) ?? 0)]);
  const chosen = places.filter((_, index) => index % every === 0);
  await runAll(chosen, { runners, onOutcome, goesOn });
}

function* placesOf(scene: Setting, effects: number): Generator<Setting> {
  for (let effect = 1; effect <= effects; effect += 1)
    for (const lagMs of [0, LAG_MS]) yield { ...scene, crash: { effect, lagMs } };
}
