import type { Clock } from '../clock.ts';
import type { Change, Revision } from './store.ts';

/** All changes of one revision, sorted by key; none: the log is just known to reach so far. */
export interface RevisionChanges {
  readonly revision: Revision;
  readonly changes: readonly Change[];
}

export interface ChangeLogOptions {
  /** The log starts empty, after this revision. */
  readonly afterRevision: Revision;
  /** Beyond either bound the oldest revisions are dropped; Infinity keeps all. */
  readonly changesMax: number;
  readonly lengthMax: number;
  /** How the log waits before it reports bare progress. */
  readonly sleep: Clock['sleep'];
}

/** What a wait ended with, and the revision up to which nothing was of interest. */
export interface Wake {
  readonly reason: 'changed' | 'progress' | 'aborted' | 'closed';
  readonly position: Revision;
}

/** A watch learns at the latest after this time that the store moved on elsewhere. */
export const PROGRESS_DELAY_MS = 1_000;

/**
 * The newest revisions of a store, in memory. Watches read it, each at its own pace, so that a
 * slow one costs no memory: when the log no longer reaches back to it, it reads older revisions
 * from the store itself.
 */
export class ChangeLog {
  /** Holds every revision greater than this one, up to `head`. */
  floor: Revision;
  head: Revision;
  readonly #options: ChangeLogOptions;
  readonly #waiters = new Set<Waiter>();
  readonly #closed = new AbortController();
  #entries: RevisionChanges[] = [];
  /** Entries before this index are dropped; the array is cut only now and then. */
  #start = 0;
  #changes = 0;
  #length = 0;
  #pulse: 'idle' | 'armed' = 'idle';

  constructor(options: ChangeLogOptions) {
    this.#options = options;
    this.floor = options.afterRevision;
    this.head = options.afterRevision;
  }

  append(entry: RevisionChanges): void {
    this.#entries.push(entry);
    this.#changes += countOf(entry);
    this.#length += lengthOf(entry);
    this.head = entry.revision;
    const { changesMax, lengthMax } = this.#options;
    while (this.#changes > changesMax || this.#length > lengthMax) this.#drop();
    for (const waiter of this.#waiters) {
      if (entry.changes.some((change) => keyOf(change).startsWith(waiter.prefix))) {
        waiter.wake('changed');
      } else {
        waiter.position = entry.revision;
        this.#armPulse();
      }
    }
  }

  /** Drops what is at or before `revision`. */
  forget(revision: Revision): void {
    while (this.#oldest !== undefined && this.#oldest.revision <= revision) this.#drop();
    if (revision > this.floor) this.floor = revision;
    if (revision > this.head) this.head = revision;
  }

  /** Starts over, empty, after `revision`: what was in between is not known. */
  restart(revision: Revision): void {
    this.#entries = [];
    this.#start = 0;
    this.#changes = 0;
    this.#length = 0;
    this.floor = revision;
    this.head = revision;
    for (const waiter of this.#waiters) waiter.wake('changed');
  }

  /** The first revision after `position` with changes under `prefix`. */
  next(prefix: string, position: Revision): RevisionChanges | undefined {
    for (let index = this.#indexAfter(position); index < this.#entries.length; index += 1) {
      const entry = this.#entries[index];
      if (entry === undefined) continue;
      const changes = entry.changes.filter((change) => keyOf(change).startsWith(prefix));
      if (changes.length > 0) return { revision: entry.revision, changes };
    }
    return undefined;
  }

  /**
   * Waits for a change under `prefix` after `position`, or for progress beyond `reported`, the
   * revision that the reader was told last.
   */
  wait(
    prefix: string,
    { position, reported, signal }: { position: Revision; reported: Revision; signal: AbortSignal },
  ): Promise<Wake> {
    if (this.#closed.signal.aborted) return Promise.resolve({ reason: 'closed', position });
    if (signal.aborted) return Promise.resolve({ reason: 'aborted', position });
    if (this.head > position) return Promise.resolve({ reason: 'changed', position });
    return new Promise((resolve) => {
      const onAbort = (): void => waiter.wake('aborted');
      const waiter: Waiter = {
        prefix,
        position,
        wake: (reason) => {
          this.#waiters.delete(waiter);
          signal.removeEventListener('abort', onAbort);
          resolve({ reason, position: waiter.position });
        },
      };
      this.#waiters.add(waiter);
      signal.addEventListener('abort', onAbort);
      if (position > reported) this.#armPulse();
    });
  }

  /** Ends all waits, for good. */
  close(): void {
    this.#closed.abort();
    for (const waiter of this.#waiters) waiter.wake('closed');
  }

  get #oldest(): RevisionChanges | undefined {
    return this.#entries[this.#start];
  }

  #drop(): void {
    const entry = this.#oldest;
    if (entry === undefined) return;
    this.#start += 1;
    this.#changes -= countOf(entry);
    this.#length -= lengthOf(entry);
    this.floor = entry.revision;
    if (this.#start * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#start);
      this.#start = 0;
    }
  }

  #indexAfter(position: Revision): number {
    let low = this.#start;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#entries[middle]?.revision ?? 0n) <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** One timer for all waits: bare progress is worth no more. */
  #armPulse(): void {
    if (this.#pulse === 'armed') return;
    this.#pulse = 'armed';
    const pulsed = this.#options.sleep(PROGRESS_DELAY_MS, this.#closed.signal).then(() => {
      this.#pulse = 'idle';
      for (const waiter of this.#waiters) waiter.wake('progress');
    });
    // The only way for the sleep to fail is `close`, which has woken everybody already.
    void pulsed.catch(() => undefined);
  }
}

interface Waiter {
  readonly prefix: string;
  /** Nothing under the prefix was changed up to here. */
  position: Revision;
  readonly wake: (reason: Wake['reason']) => void;
}

function keyOf(change: Change): string {
  return change.kind === 'put' ? change.item.key : change.key;
}

/** An entry without changes takes room too. */
function countOf(entry: RevisionChanges): number {
  return Math.max(1, entry.changes.length);
}

function lengthOf(entry: RevisionChanges): number {
  let length = 0;
  for (const change of entry.changes) {
    length += keyOf(change).length + (change.kind === 'put' ? change.item.value.length : 0);
  }
  return length;
}
