import type { Clock } from '../../runtime/clock.ts';

/** While an edge has nothing of what is wanted, it is asked for one blob as often as this. */
export const PEER_POLL_MS = 100;

/** Fetches of what one edge does not have yet: thousands are not all asked for all the time. */
export class PeerTurns {
  readonly #clock: Clock;
  /** Each ends a wait when it is called; in order. */
  readonly #waiting: (() => void)[] = [];
  /** When a wait ended without having been called. */
  #polledMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#polledMs = clock.monotonicMs();
  }

  /** Until it is this one's turn to ask once more. Rejects when `signal` is aborted. */
  async wait(signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const call = (): void => over.abort(new Error('it is its turn'));
    this.#waiting.push(call);
    const scope = AbortSignal.any([signal, over.signal]);
    try {
      do await this.#clock.sleep(PEER_POLL_MS, scope);
      while (!this.#isDue(call));
      this.#polledMs = this.#clock.monotonicMs();
    } catch {
      signal.throwIfAborted();
    } finally {
      const index = this.#waiting.indexOf(call);
      if (index >= 0) this.#waiting.splice(index, 1);
    }
  }

  /** The first so many are to ask at once; left out: all. */
  wake(count = this.#waiting.length): void {
    for (const call of this.#waiting.splice(0, count)) call();
  }

  #isDue(call: () => void): boolean {
    return this.#waiting[0] === call && this.#clock.monotonicMs() - this.#polledMs >= PEER_POLL_MS;
  }
}
