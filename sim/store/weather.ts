import type { Scheduler } from '../engine/scheduler.ts';

/**
 * Who can reach the store by now. Down is the store itself, as while it elects a leader; cut off is
 * one process, while the others go on.
 */
export class StoreWeather {
  readonly #scheduler: Scheduler;
  readonly #cutOff = new Set<string>();
  readonly #cuts = new Map<string, number>();
  readonly #waiting = new Set<() => void>();
  #downs = 0;
  isDown = false;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  reaches(process: string): boolean {
    return !this.isDown && !this.#cutOff.has(process);
  }

  /** How often all connections of a process have broken: what was on its way then is lost. */
  breaks(process: string): number {
    return this.#downs + (this.#cuts.get(process) ?? 0);
  }

  goDown(): void {
    this.isDown = true;
    this.#downs += 1;
    this.#changed();
  }

  comeUp(): void {
    this.isDown = false;
    this.#changed();
  }

  cutOff(process: string): void {
    this.#cutOff.add(process);
    this.#cuts.set(process, (this.#cuts.get(process) ?? 0) + 1);
    this.#changed();
  }

  join(process: string): void {
    this.#cutOff.delete(process);
    this.#changed();
  }

  /** Everyone reaches the store again, and what was held back is let go. */
  clear(): void {
    this.#cutOff.clear();
    this.comeUp();
  }

  /** Until so much time has passed, the weather has changed or the signal is aborted. */
  wait(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        callOff();
        this.#waiting.delete(wake);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const callOff = ms === Infinity ? () => undefined : this.#scheduler.after(ms, wake);
      this.#waiting.add(wake);
      signal?.addEventListener('abort', wake, { once: true });
    });
  }

  /** Just time: only the signal ends it early. Less than nothing is nothing. */
  async pause(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms < 0) return;
    const untilMs = this.#scheduler.nowMs + ms;
    do await this.wait(untilMs - this.#scheduler.nowMs, signal);
    while (this.#scheduler.nowMs < untilMs && !signal?.aborted);
  }

  #changed(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}
