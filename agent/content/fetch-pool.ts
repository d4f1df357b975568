import type { Clock } from '../../runtime/clock.ts';
import type { Digest } from '../../runtime/content/digest.ts';
import { type BackoffLimits, backoffMs } from '../../runtime/control/backoff.ts';
import type { Disk } from '../../runtime/disk/disk.ts';
import type { Log } from '../../runtime/log.ts';
import type { Random } from '../../runtime/random.ts';
import { inWords, isDiskFull } from './disk-full.ts';
import { downloadBlob, WrongBytesError } from './download.ts';
import type { Need } from './plan.ts';
import type { FetchOutcome, ListedBlob, Sources } from './sources.ts';

/** Fetches under way at once: most blobs are small, and their way is longer than they are. */
export const FETCHES_MAX = 16;
/** Of these, those that nothing waits for: whatever is needed next finds room. */
export const HELPFUL_FETCHES_MAX = 8;
export const FETCH_RETRY_BACKOFF: Readonly<Record<Need, BackoffLimits>> = {
  needed: { baseMs: 250, capMs: 10_000 },
  helpful: { baseMs: 1_000, capMs: 600_000 },
};

export interface WantedFetch extends ListedBlob {
  /** Unknown for manifests, which therefore everything else waits for, and for indexes. */
  readonly sizeBytes: number | undefined;
  readonly need: Need;
}

export interface FetchPoolOptions {
  readonly disk: Disk;
  readonly sources: Sources;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** A blob is on the disk now. */
  readonly onFetched: (digest: Digest, sizeBytes: number) => void;
  /** Called when a look at the disk is worth it at once: a manifest came, or all is done. */
  readonly onProgress: () => void;
}

/**
 * Fetches several blobs at once, in the order wanted, each failure with a backoff of its own: one
 * blob that cannot be had holds up nothing else.
 */
export class FetchPool {
  readonly #options: FetchPoolOptions;
  readonly #running = new Map<
    Digest,
    { readonly need: Need; readonly stop: AbortController; readonly done: Promise<void> }
  >();
  #waiting: Iterator<WantedFetch> = [].values();
  /** Came out of `#waiting`, and waits for room. What is needed comes before all that is not. */
  #next: WantedFetch | undefined;
  /** Fetched since the look that the next `want` rests on began: it may not have seen them. */
  readonly #fresh = new Set<Digest>();
  #failed: ReadonlyMap<Digest, Failure> = new Map();
  #signal: AbortSignal | undefined;
  #wantedAtMs = 0;

  constructor(options: FetchPoolOptions) {
    this.#options = options;
  }

  /** A look at the disk begins, whose outcome the next `want` rests on. */
  beginLook(): void {
    this.#fresh.clear();
  }

  /** What is to be fetched from now on, instead of what was before. */
  want(fetches: readonly WantedFetch[], signal: AbortSignal): void {
    const wanted = new Set(fetches.map(({ digest }) => digest));
    for (const [digest, { stop }] of this.#running) {
      if (!wanted.has(digest)) stop.abort(new Error(`${digest} is not wanted any more`));
    }
    this.#failed = new Map([...this.#failed].filter(([digest]) => wanted.has(digest)));
    this.#options.sources.want(fetches);
    const nowMs = this.#options.clock.monotonicMs();
    this.#wantedAtMs = nowMs;
    const due = fetches.filter(({ digest }) => {
      const retryAtMs = this.#failed.get(digest)?.retryAtMs ?? 0;
      return !this.#running.has(digest) && !this.#fresh.has(digest) && retryAtMs <= nowMs;
    });
    this.#waiting = due.values();
    this.#next = undefined;
    this.#signal = signal;
    this.#start();
  }

  /** Why the last try of each failed. */
  failures(): ReadonlyMap<Digest, string> {
    return new Map([...this.#failed].map(([digest, { why }]) => [digest, why]));
  }

  /** Whether something needed did not fit on the disk when it was last tried. */
  lacksRoom(): boolean {
    return [...this.#failed.values()].some(({ need, why }) => need === 'needed' && isDiskFull(why));
  }

  forgetFailures(): void {
    this.#failed = new Map(
      [...this.#failed].map(([digest, failure]) => [digest, { ...failure, retryAtMs: 0 }]),
    );
  }

  /** When to want again with no further event: after `busyMs` while fetching, or for a retry. */
  dueInMs(busyMs: number): number {
    const nowMs = this.#options.clock.monotonicMs();
    // What was due when it was last wanted is running by now, or waits for a free place.
    const retries = [...this.#failed.values()]
      .filter(({ retryAtMs }) => retryAtMs > this.#wantedAtMs)
      .map(({ retryAtMs }) => Math.max(0, retryAtMs - nowMs));
    const busy = this.#running.size > 0 ? busyMs : Number.POSITIVE_INFINITY;
    return Math.min(busy, ...retries);
  }

  /** Resolves once nothing is under way. */
  async idle(): Promise<void> {
    this.#waiting = [].values();
    this.#next = undefined;
    await Promise.allSettled([...this.#running.values()].map(({ done }) => done));
  }

  #start(): void {
    while (this.#running.size < FETCHES_MAX && this.#signal?.aborted === false) {
      this.#next ??= this.#waiting.next().value;
      if (this.#next === undefined || !this.#hasRoom(this.#next)) return;
      const { digest, need } = this.#next;
      const stop = new AbortController();
      const signal = AbortSignal.any([this.#signal, stop.signal]);
      this.#running.set(digest, { need, stop, done: this.#fetch(this.#next, signal) });
      this.#next = undefined;
    }
  }

  #hasRoom({ need }: WantedFetch): boolean {
    if (need === 'needed') return true;
    const helpful = [...this.#running.values()].filter((each) => each.need === 'helpful');
    return helpful.length < HELPFUL_FETCHES_MAX;
  }

  async #fetch(wanted: WantedFetch, signal: AbortSignal): Promise<void> {
    const { digest } = wanted;
    const failures = (this.#failed.get(digest)?.failures ?? 0) + 1;
    const outcome = await this.#download(wanted, signal);
    this.#running.delete(digest);
    const failed = new Map(this.#failed);
    if (outcome.kind === 'done') {
      failed.delete(digest);
      this.#fresh.add(digest);
    }
    if (outcome.kind !== 'done' && !signal.aborted)
      failed.set(digest, this.#failure(wanted, outcome.why, failures));
    this.#failed = failed;
    this.#start();
    const idle = this.#running.size === 0;
    if (idle || signal.aborted || (outcome.kind === 'done' && wanted.sizeBytes === undefined)) {
      this.#options.onProgress();
    }
  }

  /** As long as it was the fault of an edge, which is left aside then, it is tried again at once. */
  async #download(wanted: WantedFetch, signal: AbortSignal): Promise<Outcome> {
    const { sources } = this.#options;
    for (;;) {
      const source = sources.of(wanted);
      const outcome = await downloadBlob(wanted, { ...this.#options, source, signal }).then(
        (sizeBytes): Outcome => {
          this.#options.onFetched(wanted.digest, sizeBytes);
          return { kind: 'done' };
        },
        (error: unknown): Outcome => ({
          kind: error instanceof WrongBytesError ? 'wrong bytes' : 'failed',
          why: messageOf(error),
        }),
      );
      if (signal.aborted) return outcome;
      if (sources.ended(wanted, outcome.kind) === 'over') return outcome;
    }
  }

  #failure({ digest, need, sizeBytes }: WantedFetch, said: string, failures: number): Failure {
    const { clock, random, log } = this.#options;
    const retryInMs = backoffMs(failures, FETCH_RETRY_BACKOFF[need], random);
    log.warn({ digest, error: said, failures, retryInMs }, 'a blob could not be fetched');
    const why = inWords(said, sizeBytes);
    return { need, why, failures, retryAtMs: clock.monotonicMs() + retryInMs };
  }
}

type Outcome =
  | { readonly kind: 'done' }
  | { readonly kind: Exclude<FetchOutcome, 'done'>; readonly why: string };

interface Failure {
  readonly need: Need;
  readonly why: string;
  readonly failures: number;
  readonly retryAtMs: number;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
