import type { Clock } from '../../runtime/clock.ts';

/** Work after which others have their turn. */
const TURN_MS = 20;
/** A turn of others: some round trips to a store. */
const REST_MS_MAX = 1_000;

/**
 * Called after each part of a long work, with when that part began: others have their turn for about
 * as long as the work took, for renewing a lease takes several round trips.
 */
export function restsBetween(clock: Clock): (startMs: number) => Promise<void> {
  let workedMs = 0;
  return async (startMs) => {
    workedMs += clock.monotonicMs() - startMs;
    if (workedMs < TURN_MS) return;
    await clock.sleep(Math.min(workedMs, REST_MS_MAX));
    workedMs = 0;
  };
}
