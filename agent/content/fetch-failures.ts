import type { Clock } from '../../runtime/clock.ts';
import type { Digest } from '../../runtime/content/digest.ts';
import { type BackoffLimits, backoffMs } from '../../runtime/control/backoff.ts';
import type { Log } from '../../runtime/log.ts';
import type { Random } from '../../runtime/random.ts';
import { inWords, isDiskFull } from './disk-full.ts';
import type { Need } from './plan.ts';

const FETCH_RETRY_BACKOFF: Readonly<Record<Need, BackoffLimits>> = {
  needed: { baseMs: 250, capMs: 10_000 },
  helpful: { baseMs: 1_000, capMs: 600_000 },
};

export interface FailedFetch {
  readonly digest: Digest;
  readonly sizeBytes: number | undefined;
  readonly need: Need;
}

interface Failure {
  readonly need: Need;
  readonly why: string;
  readonly failures: number;
  readonly retryAtMs: number;
}

/** Which blobs could not be fetched, why, and when each is due again: each has its own backoff. */
export class FetchFailures {
  readonly #ports: { readonly clock: Clock; readonly random: Random; readonly log: Log };
  #failed: ReadonlyMap<Digest, Failure> = new Map();

  constructor(ports: { readonly clock: Clock; readonly random: Random; readonly log: Log }) {
    this.#ports = ports;
  }

  has(digest: Digest): boolean {
    return this.#failed.has(digest);
  }

  /** All others are not wanted any more. */
  keep(wanted: Pick<ReadonlySet<Digest>, 'has'>): void {
    this.#failed = new Map([...this.#failed].filter(([digest]) => wanted.has(digest)));
  }

  retryAtMs(digest: Digest): number {
    return this.#failed.get(digest)?.retryAtMs ?? 0;
  }

  /** When those are due that were not by `sinceMs`. */
  dueMs(sinceMs: number): readonly number[] {
    const due = [...this.#failed.values()].map(({ retryAtMs }) => retryAtMs);
    return due.filter((retryAtMs) => retryAtMs > sinceMs);
  }

  reasons(): ReadonlyMap<Digest, string> {
    return new Map([...this.#failed].map(([digest, { why }]) => [digest, why]));
  }

  /** Whether something needed did not fit on the disk when it was last tried. */
  lacksRoom(): boolean {
    return [...this.#failed.values()].some(({ need, why }) => need === 'needed' && isDiskFull(why));
  }

  /** All are due by now. */
  retrySoon(): void {
    this.#failed = new Map(
      [...this.#failed].map(([digest, failure]) => [digest, { ...failure, retryAtMs: 0 }]),
    );
  }

  /** What came, and what did not: one line of the log for all that failed for the same reason. */
  note(done: readonly Digest[], failed: readonly (readonly [FailedFetch, string])[]): void {
    const { clock, random, log } = this.#ports;
    const known = new Map(this.#failed);
    for (const digest of done) known.delete(digest);
    const told = new Map<string, { readonly fields: object; others: number }>();
    for (const [{ digest, need, sizeBytes }, error] of failed) {
      const failures = (known.get(digest)?.failures ?? 0) + 1;
      const retryInMs = backoffMs(failures, FETCH_RETRY_BACKOFF[need], random);
      const retryAtMs = clock.monotonicMs() + retryInMs;
      known.set(digest, { need, why: inWords(error, sizeBytes), failures, retryAtMs });
      const same = told.get(error);
      if (same !== undefined) same.others += 1;
      else told.set(error, { fields: { digest, error, failures, retryInMs }, others: 0 });
    }
    this.#failed = known;
    for (const { fields, others } of told.values())
      log.warn({ ...fields, ...(others > 0 && { others }) }, 'a blob could not be fetched');
  }
}
