import { CRASH_SCENES, runCrashPoints } from '../run/crash-points.ts';
import { fixedSettings, nameOf } from '../run/fixed.ts';
import { invariantOf, type Outcome, type Runner } from '../run/outcome.ts';
import { drawSetting, type Setting, settingArgs } from '../run/setting.ts';
import type { Mutant } from './mutant.ts';

/** What a mutant came to. */
export type Verdict =
  | {
      readonly kind: 'caught';
      readonly setting: Setting;
      /** `INV-14`. */
      readonly invariant: string;
      readonly message: string;
      readonly virtualMs: number;
      readonly runs: number;
    }
  /** `why`: it lived through all runs, or the simulation failed in a way that says nothing. */
  | { readonly kind: 'lives'; readonly why: string; readonly runs: number };

export interface TrialOptions {
  /** Runs worlds with the mutant in them. */
  readonly runner: Runner;
  /** After the fixed runs, the other seeds of the short profile up to this one… */
  readonly seeds: number;
  /** …and then one in so many of the crash points. */
  readonly crashPointsEvery: number;
  /** False: enough time was spent. */
  readonly goesOn: () => boolean;
}

/** Runs the fixed seeds, more seeds, and the crash points until one of them catches the mutant. */
export async function tryMutant(options: TrialOptions): Promise<Verdict> {
  const { runner, seeds, crashPointsEvery: every, goesOn } = options;
  let runs = 0;
  let failure: { readonly setting: Setting; readonly outcome: Outcome } | undefined;
  const onOutcome = (setting: Setting, outcome: Outcome): void => {
    runs += 1;
    if (outcome.kind === 'failed') failure ??= { setting, outcome };
  };
  const lives = (): boolean => failure === undefined && goesOn();
  for (const setting of settings(seeds)) {
    if (!lives()) break;
    onOutcome(setting, await runner.run(setting));
  }
  const scenes = CRASH_SCENES;
  if (lives()) await runCrashPoints({ runners: [runner], scenes, every, onOutcome, goesOn: lives });
  return verdictOf(failure, runs);
}

function* settings(last: number): Generator<Setting> {
  const fixed = fixedSettings();
  yield* fixed;
  const known = new Set(fixed.map(nameOf));
  for (let seed = 1; seed <= last; seed += 1) {
    const setting = drawSetting(seed, 'short');
    if (!known.has(nameOf(setting))) yield setting;
  }
}

function verdictOf(
  failure: { readonly setting: Setting; readonly outcome: Outcome } | undefined,
  runs: number,
): Verdict {
  if (failure?.outcome.kind !== 'failed') return { kind: 'lives', why: 'NOT CAUGHT', runs };
  const { setting, outcome } = failure;
  const { message, virtualMs } = outcome;
  const invariant = invariantOf(outcome);
  if (invariant === undefined) return { kind: 'lives', why: `breaks the run: ${message}`, runs };
  return { kind: 'caught', setting, invariant, message, virtualMs, runs };
}

/** One row of the table; `tookMs` of real time. */
export function rowOf({ name, expects }: Mutant, verdict: Verdict, tookMs: number): string {
  const head = name.padEnd(NAME_WIDTH);
  const cost = `${verdict.runs} runs, ${(tookMs / 1000).toFixed(1)} s`;
  if (verdict.kind === 'lives') return `${head}  ${verdict.why} (${cost})`;
  const { invariant, setting, virtualMs } = verdict;
  const isExpected = expects.some((number) => invariant === `INV-${number}`);
  const wanted = expects.map((number) => `INV-${number}`).join(', ');
  const when = `after ${(virtualMs / 1000).toFixed(0)} s`.padEnd(11);
  const where = settingArgs(setting);
  const surprise = isExpected ? '' : `; expected ${wanted}`;
  return `${head}  ${invariant.padEnd(6)}  ${when}  ${where}  (${cost}${surprise})`;
}

const NAME_WIDTH = 34;
