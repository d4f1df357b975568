import type { Clock } from './clock.ts';

/** So often the wall clock is compared with the one of timers. */
export const LEAP_LOOK_MS = 10_000;
/** More than clocks drift apart in that time. */
const LEAP_MS = 1_000;

/**
 * Tells when the wall clock leaps: somebody set it, or the machine was suspended. Timers take no
 * notice of either, so what waits for a time must look whether that has come.
 */
export class ClockLeaps {
  readonly #clock: Clock;
  readonly #listeners = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Returns what ends that. */
  subscribe(leapt: () => void): () => void {
    this.#listeners.add(leapt);
    return () => void this.#listeners.delete(leapt);
  }

  /** Watches until `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const aheadMs = (): number => this.#clock.nowMs() - this.#clock.monotonicMs();
    for (let before = aheadMs(); ; ) {
      try {
        await this.#clock.sleep(LEAP_LOOK_MS, signal);
      } catch {
        return;
      }
      const after = aheadMs();
      if (Math.abs(after - before) > LEAP_MS) for (const leapt of this.#listeners) leapt();
      before = after;
    }
  }
}
