import type { Rehearsal } from './rehearse.ts';
import type { Setting } from './setting.ts';

/** What a run came to, as plain data that can be sent from one process to another. */
export type Outcome =
  | {
      readonly kind: 'held';
      /** SHA-256 of all that happened. */
      readonly hash: string;
      readonly steps: number;
      /** Commits, changes of disks and of what CAs know. */
      readonly effects: number;
      readonly virtualMs: number;
      /** Rare paths that were reached. */
      readonly reached: readonly string[];
    }
  | {
      readonly kind: 'failed';
      /** Begins with `INV-n: ` where an invariant broke, and ends with the command that replays it. */
      readonly message: string;
      readonly virtualMs: number;
    };

export function outcomeOf(rehearsal: Rehearsal): Outcome {
  if (rehearsal.kind === 'failed') {
    const { message, virtualMs } = rehearsal;
    return { kind: 'failed', message, virtualMs };
  }
  const { hash, steps, effects, virtualMs, reached } = rehearsal.result;
  return { kind: 'held', hash, steps, effects, virtualMs, reached: [...reached].toSorted() };
}

/** `INV-27`; undefined for a run that held, or failed in another way. */
export function invariantOf(outcome: Outcome): string | undefined {
  return outcome.kind === 'failed' ? /^INV-\d+/.exec(outcome.message)?.[0] : undefined;
}

/**
 * What of a failure stays the same in a smaller run: the invariant, or else the first line of what was
 * said, without its numbers. Undefined for a run that held.
 */
export function failureOf(outcome: Outcome): string | undefined {
  if (outcome.kind === 'held') return undefined;
  const [first = ''] = outcome.message.replace(/; replay: .*$/s, '').split('\n');
  return invariantOf(outcome) ?? first.replace(/\d+/g, '0');
}

/** Somebody who runs one world after another: another process, so that all cores are used. */
export interface Runner {
  run(setting: Setting): Promise<Outcome>;
}

/**
 * Runs all settings, each runner one at a time. Tells of outcomes as they come; `goesOn` false: no
 * more are begun.
 */
export async function runAll(
  settings: Iterable<Setting>,
  {
    runners,
    onOutcome,
    goesOn,
  }: {
    readonly runners: readonly Runner[];
    readonly onOutcome: (setting: Setting, outcome: Outcome) => void;
    readonly goesOn: () => boolean;
  },
): Promise<void> {
  const queue = settings[Symbol.iterator]();
  const work = async (runner: Runner): Promise<void> => {
    while (goesOn()) {
      const { done, value } = queue.next();
      if (done === true) return;
      onOutcome(value, await runner.run(value));
    }
  };
  await Promise.all(runners.map(work));
}
