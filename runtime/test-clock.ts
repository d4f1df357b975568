import type { Clock } from './clock.ts';

export interface VirtualClock extends Clock {
  /** Moves time on, waking sleepers in order of their time and letting each run on first. */
  advance(ms: number): Promise<void>;
}

/**
 * A clock for unit tests that moves only when told to.
 *
 * Caveats: between two wake-ups only promises are let run, not timers or real input and output.
 */
export function virtualClock(startMs = 1_800_000_000_000): VirtualClock {
  let elapsedMs = 0;
  let sequence = 0;
  let sleepers: readonly Sleeper[] = [];

  async function advance(ms: number): Promise<void> {
    const targetMs = elapsedMs + ms;
    await settle();
    for (;;) {
      const next = sleepers.toSorted((a, b) => a.wakeMs - b.wakeMs || a.sequence - b.sequence)[0];
      if (next === undefined || next.wakeMs > targetMs) break;
      elapsedMs = Math.max(elapsedMs, next.wakeMs);
      sleepers = sleepers.filter((sleeper) => sleeper !== next);
      next.wake();
      await settle();
    }
    elapsedMs = targetMs;
  }

  function sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      sequence += 1;
      const sleeper = { wakeMs: elapsedMs + Math.max(0, ms), sequence, wake };
      sleepers = [...sleepers, sleeper];
      signal?.addEventListener('abort', abort, { once: true });
      function wake(): void {
        signal?.removeEventListener('abort', abort);
        resolve();
      }
      function abort(): void {
        sleepers = sleepers.filter((other) => other !== sleeper);
        reject(signal?.reason);
      }
    });
  }

  return {
    nowMs: () => startMs + elapsedMs,
    monotonicMs: () => elapsedMs,
    sleep,
    advance,
  };
}

interface Sleeper {
  readonly wakeMs: number;
  /** Sleepers with the same time wake in the order in which they went to sleep. */
  readonly sequence: number;
  readonly wake: () => void;
}

/** More than any chain of promises in a test is long. */
const SETTLE_TURNS = 500;

async function settle(): Promise<void> {
  for (let turn = 0; turn < SETTLE_TURNS; turn += 1) await Promise.resolve();
}
