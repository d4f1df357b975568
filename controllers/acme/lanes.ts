/**
 * Bounds how many reconciles ask one CA at a time, so that a slow CA never has all of them and
 * others go on (INV-5).
 */
export class Lanes {
  readonly #busy = new Map<string, number>();
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  /** Runs the work, or says 'busy' at once. */
  async run<Result>(lane: string, work: () => Promise<Result>): Promise<Result | 'busy'> {
    const busy = this.#busy.get(lane) ?? 0;
    if (busy >= this.#max) return 'busy';
    this.#busy.set(lane, busy + 1);
    try {
      return await work();
    } finally {
      const left = (this.#busy.get(lane) ?? 1) - 1;
      if (left === 0) this.#busy.delete(lane);
      else this.#busy.set(lane, left);
    }
  }
}
