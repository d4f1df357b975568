/** What a bucket still holds for an answer: room, or how many it has refused before this one. */
export type Taken = 'room' | { readonly refused: number };

export interface Charge {
  /** Two halves of the keyed hash of what is counted. */
  readonly low: number;
  readonly high: number;
  /** How long one answer's worth takes to flow back, at most `BURST_MS`: cost divided by rate. */
  readonly chargeMs: number;
  readonly nowMs: number;
}

/** A bucket holds what flows in within this time; so much may come at once. */
export const BURST_MS = 1000;
/** How far a bucket that keeps count of what is refused, too, goes below empty. */
const DEBT_MS_MAX = 1000;
/** Places that one bucket may lie in; the least used one makes room for a new one. */
const WAYS = 4;

/**
 * Token buckets in a table of fixed size. Each is one moment in time, up to which it is used (the
 * generic cell rate algorithm, ITU-T I.371): a bucket whose moment has passed is full, and nothing
 * is lost when it is forgotten. When too many are used at once, the ones used least are forgotten,
 * so a flood from many forged addresses does not hide the one that is hit hardest.
 */
export class Buckets {
  readonly #usedUntilMs: Float64Array;
  readonly #tags: Uint32Array;
  readonly #refused: Uint32Array;
  readonly #setsMask: number;

  /** `bucketsMax`: rounded up to a power of two; 16 bytes each. */
  constructor(bucketsMax: number) {
    const sets = 2 ** Math.ceil(Math.log2(Math.max(1, bucketsMax / WAYS)));
    this.#setsMask = sets - 1;
    this.#usedUntilMs = new Float64Array(sets * WAYS);
    this.#tags = new Uint32Array(sets * WAYS);
    this.#refused = new Uint32Array(sets * WAYS);
  }

  /** Takes the charge out of the bucket if it has so much; else counts one more refusal. */
  take(charge: Charge): Taken {
    const at = this.#placeOf(charge);
    const { chargeMs, nowMs } = charge;
    const until = Math.max(nowMs, this.#usedUntilMs[at] ?? 0) + chargeMs;
    if (until > nowMs + BURST_MS) {
      const refused = this.#refused[at] ?? 0;
      this.#refused[at] = refused + 1;
      return { refused };
    }
    this.#usedUntilMs[at] = until;
    return 'room';
  }

  /** Takes the charge in any case, up to a bound of debt: true while the flow is above the rate. */
  flood(charge: Charge): boolean {
    const at = this.#placeOf(charge);
    const { chargeMs, nowMs } = charge;
    const until = Math.max(nowMs, this.#usedUntilMs[at] ?? 0) + chargeMs;
    this.#usedUntilMs[at] = Math.min(until, nowMs + BURST_MS + DEBT_MS_MAX);
    return until > nowMs + BURST_MS;
  }

  /** The bucket's own place, or that of the least used one of its set, emptied for it. */
  #placeOf({ low, high, nowMs }: Charge): number {
    const first = (low & this.#setsMask) * WAYS;
    let least = first;
    for (let at = first; at < first + WAYS; at += 1) {
      if (this.#tags[at] === high) {
        // What lies farther ahead than any charge leads was written before the clock was set back.
        const ahead = (this.#usedUntilMs[at] ?? 0) - nowMs;
        if (ahead > BURST_MS + DEBT_MS_MAX) this.#usedUntilMs[at] = 0;
        return at;
      }
      if ((this.#usedUntilMs[at] ?? 0) < (this.#usedUntilMs[least] ?? 0)) least = at;
    }
    this.#tags[least] = high;
    this.#usedUntilMs[least] = 0;
    this.#refused[least] = 0;
    return least;
  }
}
