import type { Clock } from '../../runtime/clock.ts';
import type { BlobSource } from '../../runtime/content/blob-source.ts';
import type { Digest } from '../../runtime/content/digest.ts';
import {
  BATCH_BLOBS_MAX,
  BATCH_BYTES_MAX,
  SMALL_BLOB_BYTES_MAX,
} from '../../runtime/content/small-blobs.ts';
import type { Disk } from '../../runtime/disk/disk.ts';
import type { Log } from '../../runtime/log.ts';
import type { Random } from '../../runtime/random.ts';
import { downloadBlob, WrongBytesError } from './download.ts';
import { type SmallBlob, SmallDownloads } from './download-small.ts';
import { FetchFailures } from './fetch-failures.ts';
import type { Need } from './plan.ts';
import type { FetchOutcome, ListedBlob, Sources } from './sources.ts';

/** Fetches under way at once: most blobs are small, and their way is longer than they are. */
export const FETCHES_MAX = 16;
/** Of these, those for several small blobs at once: so much of them is in memory. */
export const BATCHES_MAX = 3;
/** Of these, those that nothing waits for: whatever is needed next finds room. */
export const HELPFUL_FETCHES_MAX = 8;
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
  readonly #jobs = new Set<Job>();
  readonly #running = new Map<Digest, Job>();
  readonly #failures: FetchFailures;
  readonly #small = new SmallDownloads();
  /** Of which an earlier try may have left a part, that a later one goes on with. */
  #parts: ReadonlySet<Digest> = new Set();
  /** Whether the source may be asked for several blobs at once. */
  #questions: 'for several' | 'for one' = 'for several';
  /** What is to be fetched by now, whether it waits, is under way or has failed. */
  #wanted: ReadonlyMap<Digest, WantedFetch> = new Map();
  #waiting: Iterator<WantedFetch> = [].values();
  /** Came out of `#waiting`, and waits for room. What is needed comes before all that is not. */
  #next: WantedFetch | undefined;
  /** Fetched since the look that the next `want` rests on began: it may not have seen them. */
  readonly #fresh = new Set<Digest>();
  #signal: AbortSignal | undefined;
  #wantedAtMs = 0;

  constructor(options: FetchPoolOptions) {
    this.#options = options;
    this.#failures = new FetchFailures(options);
  }

  /** A look at the disk begins, whose outcome the next `want` rests on. */
  beginLook(): void {
    this.#fresh.clear();
  }

  /** What is to be fetched from now on, instead of what was before. */
  want(
    fetches: readonly WantedFetch[],
    { parts, signal }: { readonly parts: ReadonlySet<Digest>; readonly signal: AbortSignal },
  ): void {
    const wanted = new Map(fetches.map((each) => [each.digest, each] as const));
    for (const { digests, stop } of this.#jobs) {
      if (digests.some((digest) => wanted.has(digest))) continue;
      stop.abort(new Error(`${digests[0]} is not wanted any more`));
    }
    this.#parts = parts;
    this.#questions = 'for several';
    this.#wanted = wanted;
    this.#failures.keep(wanted);
    this.#options.sources.want(fetches);
    const nowMs = this.#options.clock.monotonicMs();
    this.#wantedAtMs = nowMs;
    const due = fetches.filter(({ digest }) => {
      const retryAtMs = this.#failures.retryAtMs(digest);
      return !this.#running.has(digest) && !this.#fresh.has(digest) && retryAtMs <= nowMs;
    });
    this.#waiting = due.values();
    this.#next = undefined;
    this.#signal = signal;
    this.#start();
  }

  /** Why the last try of each failed. */
  failures(): ReadonlyMap<Digest, string> {
    return this.#failures.reasons();
  }

  /** Whether something needed did not fit on the disk when it was last tried. */
  lacksRoom(): boolean {
    return this.#failures.lacksRoom();
  }

  forgetFailures(): void {
    this.#failures.retrySoon();
  }

  /** When to want again with no further event: after `busyMs` while fetching, or for a retry. */
  dueInMs(busyMs: number): number {
    const nowMs = this.#options.clock.monotonicMs();
    // What was due when it was last wanted is running by now, or waits for a free place.
    const dueMs = this.#failures.dueMs(this.#wantedAtMs);
    const retries = dueMs.map((retryAtMs) => Math.max(0, retryAtMs - nowMs));
    const busy = this.#jobs.size > 0 ? busyMs : Number.POSITIVE_INFINITY;
    return Math.min(busy, ...retries);
  }

  /** Resolves once nothing is under way. */
  async idle(): Promise<void> {
    this.#waiting = [].values();
    this.#next = undefined;
    await Promise.allSettled([...this.#jobs].map(({ done }) => done));
  }

  #start(): void {
    while (this.#jobs.size < FETCHES_MAX && this.#signal?.aborted === false) {
      this.#next ??= this.#waiting.next().value;
      if (this.#next === undefined || !this.#hasRoom(this.#next)) return;
      const { need } = this.#next;
      const stop = new AbortController();
      const signal = AbortSignal.any([this.#signal, stop.signal]);
      const { wanted, source } = this.#take(this.#next);
      const digests = wanted.map(({ digest }) => digest);
      const kind = source === undefined ? 'one' : 'batch';
      const job: Job = { kind, digests, need, stop, done: Promise.resolve() };
      this.#jobs.add(job);
      for (const digest of digests) this.#running.set(digest, job);
      job.done = this.#fetch(job, { wanted, source }, signal);
    }
  }

  #hasRoom(next: WantedFetch): boolean {
    const alike = (other: Job): boolean => other.kind === 'batch';
    if (this.#batchSource(next) !== undefined && count(this.#jobs, alike) >= BATCHES_MAX)
      return false;
    if (next.need === 'needed') return true;
    return count(this.#jobs, ({ need }) => need === 'helpful') < HELPFUL_FETCHES_MAX;
  }

  /** Takes the next one, with as many behind it as can be had by the same question. */
  #take(first: WantedFetch): Taken {
    const wanted = [first];
    let bytes = first.sizeBytes ?? 0;
    const source = this.#batchSource(first);
    for (;;) {
      this.#next = this.#waiting.next().value;
      const next = this.#next;
      if (source === undefined || next === undefined || wanted.length === BATCH_BLOBS_MAX) break;
      bytes += next.sizeBytes ?? 0;
      const isAlike = next.need === first.need && this.#batchSource(next) === source;
      if (!isAlike || bytes > BATCH_BYTES_MAX) break;
      wanted.push(next);
    }
    return { wanted, source: wanted.length > 1 ? source : undefined };
  }

  /** Undefined: it is to be fetched alone. */
  #batchSource(wanted: WantedFetch): SmallSource | undefined {
    const { digest, sizeBytes } = wanted;
    // Neither what went wrong before nor what goes on with a part holds up others.
    if (this.#questions === 'for one' || this.#failures.has(digest) || this.#parts.has(digest))
      return undefined;
    if (sizeBytes === undefined || sizeBytes > SMALL_BLOB_BYTES_MAX) return undefined;
    const source = this.#options.sources.several(wanted);
    return source?.fetchSmall === undefined ? undefined : source;
  }

  async #fetch(job: Job, { wanted, source }: Taken, signal: AbortSignal): Promise<void> {
    const outcomes =
      source === undefined
        ? await Promise.all(wanted.map((each) => this.#download(each, signal)))
        : await this.#downloadSmall(wanted, source, signal);
    this.#jobs.delete(job);
    for (const digest of job.digests) this.#running.delete(digest);
    if (outcomes === 'unknown') {
      this.#questions = 'for one';
      this.#putBack(wanted);
    } else {
      this.#note(wanted, outcomes, signal);
      this.#putBack(wanted.filter((_, index) => outcomes[index]?.kind === 'later'));
    }
    this.#start();
    const idle = this.#jobs.size === 0;
    if (idle) this.#small.forget();
    const isList = outcomes !== 'unknown' && outcomes[0]?.kind === 'done';
    if (idle || signal.aborted || (isList && wanted[0]?.sizeBytes === undefined))
      this.#options.onProgress();
  }

  /** Of these, what is wanted still is tried once more, as it is wanted now. */
  #putBack(tried: readonly WantedFetch[]): void {
    const back = tried.flatMap(({ digest }) => this.#wanted.get(digest) ?? []);
    if (back.length === 0) return;
    const waiting = [this.#next, ...toArray(this.#waiting)].filter((each) => each !== undefined);
    this.#waiting = behindOthers(back, waiting).values();
    this.#next = undefined;
  }

  #note(wanted: readonly WantedFetch[], outcomes: readonly Outcome[], signal: AbortSignal): void {
    const done: Digest[] = [];
    const failed: (readonly [WantedFetch, string])[] = [];
    for (const [index, each] of wanted.entries()) {
      const outcome = outcomes[index];
      if (outcome?.kind === 'done') done.push(each.digest);
      else if (outcome !== undefined && outcome.kind !== 'later' && !signal.aborted)
        failed.push([each, outcome.why]);
    }
    for (const digest of done) this.#fresh.add(digest);
    this.#failures.note(done, failed);
  }

  async #downloadSmall(
    wanted: readonly WantedFetch[],
    source: SmallSource,
    signal: AbortSignal,
  ): Promise<readonly Outcome[] | 'unknown'> {
    const blobs = wanted.map(({ digest, sizeBytes = 0 }): SmallBlob => ({ digest, sizeBytes }));
    const outcomes = await this.#small.fetch(blobs, { ...this.#options, source, signal });
    if (outcomes === 'unknown') return outcomes;
    return wanted.map((each, index): Outcome => {
      const [outcome, blob] = [outcomes[index], blobs[index]];
      if (outcome === 'later') return { kind: 'later' };
      if (outcome === undefined && blob !== undefined)
        this.#options.onFetched(blob.digest, blob.sizeBytes);
      const ended = outcome === undefined ? { kind: 'done' as const } : failureOf(outcome);
      const isOver = signal.aborted || this.#options.sources.ended(each, ended.kind) === 'over';
      return isOver ? ended : { kind: 'later' };
    });
  }

  /** As long as it was the fault of an edge, which is left aside then, it is tried again at once. */
  async #download(wanted: WantedFetch, signal: AbortSignal): Promise<Outcome> {
    const { sources } = this.#options;
    for (;;) {
      const source = sources.of(wanted);
      const outcome = await downloadBlob(wanted, { ...this.#options, source, signal }).then(
        (sizeBytes): Ended => {
          this.#options.onFetched(wanted.digest, sizeBytes);
          return { kind: 'done' };
        },
        failureOf,
      );
      if (signal.aborted) return outcome;
      if (sources.ended(wanted, outcome.kind) === 'over') return outcome;
    }
  }
}

/** One fetch under way, of one blob or of several by one question. */
interface Job {
  readonly kind: 'one' | 'batch';
  readonly digests: readonly Digest[];
  readonly need: Need;
  readonly stop: AbortController;
  done: Promise<void>;
}

interface Taken {
  readonly wanted: readonly WantedFetch[];
  /** Who is asked for all of them at once; undefined: it is one alone. */
  readonly source: SmallSource | undefined;
}

type SmallSource = Pick<BlobSource, 'fetchSmall'>;

type Ended =
  | { readonly kind: 'done' }
  | { readonly kind: Exclude<FetchOutcome, 'done'>; readonly why: string };

/** `later`: nothing was wrong with it, or it was the fault of an edge that is left aside by now. */
type Outcome = Ended | { readonly kind: 'later' };

function failureOf(error: unknown): Ended {
  const why = error instanceof Error ? error.message : String(error);
  return { kind: error instanceof WrongBytesError ? 'wrong bytes' : 'failed', why };
}

/**
 * They are the first of their lists again, and other lists come before these: whoever has to wait
 * holds up nobody else. What is needed still comes before all that is not.
 */
function behindOthers(
  back: readonly WantedFetch[],
  waiting: readonly WantedFetch[],
): readonly WantedFetch[] {
  const lists = new Set(back.map(({ list }) => list));
  const rank = ({ need, list }: WantedFetch): number =>
    (need === 'needed' ? 0 : 2) + (lists.has(list) ? 1 : 0);
  return [...back, ...waiting].toSorted((one, other) => rank(one) - rank(other));
}

function count<T>(all: Iterable<T>, isCounted: (each: T) => boolean): number {
  let counted = 0;
  for (const each of all) if (isCounted(each)) counted += 1;
  return counted;
}

function toArray<T>(iterator: Iterator<T>): readonly T[] {
  return [...Iterator.from(iterator)];
}
