import type { Digest } from '../../runtime/content/digest.ts';
import {
  LATE_MS,
  sumOfCounts,
  TRAFFIC_COUNTS_MAX,
  type TrafficCount,
} from '../../runtime/traffic/site-traffic.ts';
import type { SiteNotes } from './access-log/recorder.ts';

/** Counted up with each answer: by whoever answers, in place, for it happens with each request. */
export interface Counter {
  requests: number;
  /** Answers with a status from 300 to 399… */
  redirects: number;
  /** …from 400 to 499… */
  clientErrors: number;
  /** …and from 500. */
  serverErrors: number;
  /** Of bodies. */
  bytes: number;
  /** Answers that could not begin at once, by how long they took: see `LATE_MS`. */
  late: number[];
  /** All of these together. */
  lateMs: number;
  /** Is told of each answer; undefined: nothing of them is noted. */
  notes: SiteNotes | undefined;
}

export function countAnswer(counter: Counter | undefined, status: number): void {
  if (counter === undefined) return;
  counter.requests += 1;
  if (status < 300) return;
  if (status >= 500) counter.serverErrors += 1;
  else if (status >= 400) counter.clientErrors += 1;
  else counter.redirects += 1;
}

export function countBytes(counter: Counter, bytes: number): void {
  counter.bytes += bytes;
}

/** Of an answer that could not begin at once, but after so long. */
export function countLate(counter: Counter | undefined, ms: number): void {
  if (counter === undefined) return;
  const bucket = LATE_MS.findIndex((most) => ms <= most);
  const place = bucket === -1 ? LATE_MS.length : bucket;
  while (counter.late.length <= place) counter.late.push(0);
  counter.late[place] = (counter.late[place] ?? 0) + 1;
  counter.lateMs += ms;
}

/** One whose counts nobody asks for: of answers that are noted and not counted. */
export function uncounted(notes: SiteNotes | undefined): Counter | undefined {
  return notes === undefined ? undefined : { ...nothingCounted(), notes };
}

function nothingCounted(): Omit<Counter, 'notes'> {
  return {
    ...{ requests: 0, redirects: 0, clientErrors: 0, serverErrors: 0, bytes: 0 },
    ...{ late: [], lateMs: 0 },
  };
}

/** The counters of one edge worker: one for each site and release that it answers from. */
export class EdgeCounters {
  #counters = new Map<string, Counter & Pick<TrafficCount, 'uid' | 'release'>>();

  /** `notes`: of this site, from now on. */
  counterOf(uid: string, release: Digest | undefined, notes?: SiteNotes): Counter {
    const key = `${uid} ${release}`;
    const known = this.#counters.get(key);
    if (known !== undefined) {
      known.notes = notes;
      return known;
    }
    const counter = { uid, release: release ?? '', ...nothingCounted(), notes };
    this.#counters.set(key, counter);
    return counter;
  }

  /** What was counted since it was last taken. */
  take(): readonly TrafficCount[] {
    const counted = [...this.#counters.values()].filter(
      // What was begun before may have been sent since.
      ({ requests, bytes }) => requests > 0 || bytes > 0,
    );
    const taken = counted.map(({ notes: _, ...counts }) => counts);
    for (const each of counted) Object.assign(each, nothingCounted());
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
      const before = this.#sums.get(key);
      // What was counted last comes last: with too many, those that ended long ago are forgotten.
      this.#sums.delete(key);
      this.#sums.set(key, before === undefined ? count : sumOfCounts(before, count));
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
