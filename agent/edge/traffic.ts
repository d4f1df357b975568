import type { Digest } from '../../runtime/digest.ts';
import { TRAFFIC_COUNTS_MAX, type TrafficCount } from '../../runtime/site-traffic.ts';

/** Counted up with each answer: by whoever answers, in place, for it happens with each request. */
export interface Counter {
  requests: number;
  serverErrors: number;
}

export function countAnswer(counter: Counter | undefined, status: number): void {
  if (counter === undefined) return;
  counter.requests += 1;
  if (status >= 500) counter.serverErrors += 1;
}

/** The counters of one edge worker: one for each site and release that it answers from. */
export class EdgeCounters {
  #counters = new Map<string, Counter & Pick<TrafficCount, 'uid' | 'release'>>();

  counterOf(uid: string, release: Digest | undefined): Counter {
    const key = `${uid} ${release}`;
    const known = this.#counters.get(key);
    if (known !== undefined) return known;
    const counter = { uid, release: release ?? '', requests: 0, serverErrors: 0 };
    this.#counters.set(key, counter);
    return counter;
  }

  /** What was counted since it was last taken. */
  take(): readonly TrafficCount[] {
    const counted = [...this.#counters.values()].filter(({ requests }) => requests > 0);
    const taken = counted.map((each) => ({ ...each }));
    for (const each of counted) Object.assign(each, { requests: 0, serverErrors: 0 });
    return taken;
  }

  /** From now on only these sites are answered: counters of others end once they are taken. */
  keep(uids: ReadonlySet<string>): void {
    for (const [key, { uid, requests }] of this.#counters)
      if (requests === 0 && !uids.has(uid)) this.#counters.delete(key);
  }
}

/** Counts of several workers, or of one over its time, added up. */
export class TrafficSums {
  readonly #sums = new Map<string, TrafficCount>();

  add(counts: readonly TrafficCount[]): void {
    for (const count of counts) {
      const { uid, release } = count;
      const key = `${uid} ${release}`;
      const { requests, serverErrors } = this.#sums.get(key) ?? { requests: 0, serverErrors: 0 };
      // What was counted last comes last: with too many, those that ended long ago are forgotten.
      this.#sums.delete(key);
      this.#sums.set(key, {
        ...{ uid, release, requests: requests + count.requests },
        serverErrors: serverErrors + count.serverErrors,
      });
      const [oldest] = this.#sums.keys();
      if (this.#sums.size > TRAFFIC_COUNTS_MAX && oldest !== undefined) this.#sums.delete(oldest);
    }
  }

  all(): readonly TrafficCount[] {
    return [...this.#sums.values()];
  }

  /** All, which then are no more. */
  take(): readonly TrafficCount[] {
    const taken = this.all();
    this.#sums.clear();
    return taken;
  }
}
