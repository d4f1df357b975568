import type { Clock } from '../../runtime/clock.ts';
import { EPOCH_MS, type Scheduler } from '../engine/scheduler.ts';

/**
 * The clock of one machine, which is wrong: it runs too fast or too slowly, and its wall time is off
 * and leaps when somebody sets it. Timers and the monotonic time run at the machine's own pace.
 */
export class HostClock implements Clock {
  readonly #scheduler: Scheduler;
  /** Own milliseconds that pass in one true one. */
  #rate = 1;
  #since = { trueMs: 0, ownMs: 0 };
  #offsetMs = 0;
  /** In order: when it was set, and by how much. */
  readonly #jumps: { readonly trueMs: number; readonly ms: number }[] = [];

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** How far its wall time is ahead of the true time by now; negative: behind. */
  get offMs(): number {
    return this.nowMs() - EPOCH_MS - this.#scheduler.nowMs;
  }

  /** From now on so many own milliseconds pass in one true one. */
  setRate(rate: number): void {
    this.#since = { trueMs: this.#scheduler.nowMs, ownMs: this.monotonicMs() };
    this.#rate = rate;
  }

  /** Sets the wall clock forward, or back. */
  jump(ms: number): void {
    this.#offsetMs += ms;
    this.#jumps.push({ trueMs: this.#scheduler.nowMs, ms });
  }

  /** What it may have said, at the earliest, in the true milliseconds until now. */
  earliestMs(withinMs: number): number {
    const sinceMs = this.#scheduler.nowMs - withinMs;
    const ahead = this.#jumps.filter(({ trueMs, ms }) => trueMs >= sinceMs && ms > 0);
    return this.nowMs() - withinMs - ahead.reduce((sum, { ms }) => sum + ms, 0);
  }

  nowMs(): number {
    return EPOCH_MS + this.#offsetMs + Math.floor(this.monotonicMs());
  }

  monotonicMs(): number {
    const { trueMs, ownMs } = this.#since;
    return ownMs + (this.#scheduler.nowMs - trueMs) * this.#rate;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms <= 0 || this.#rate === 1) return this.#scheduler.sleep(ms, signal);
    // In whole true milliseconds, and never a rounding error too short.
    return this.#scheduler.sleep(Math.ceil(ms / this.#rate + 1e-6), signal);
  }
}
