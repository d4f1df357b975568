import { isDeepStrictEqual } from 'node:util';
import type { Change, Revision, WatchEvent } from '../../../runtime/store/store.ts';
import type { Check, CheckPorts } from '../check.ts';
import type { OpenWatch, StoreAnswer, StoreCall, StoreEvent } from '../store-event.ts';
import { keyOf, type StoreHistory } from '../store-history.ts';

/** The nine things that each watch keeps to, as the process that opened it sees it. */
export type WatchProperty =
  /** Revisions come in their order. */
  | 'ordered'
  /** None comes twice. */
  | 'unique'
  /** All changes of a revision under the prefix come in one event, sorted by key. */
  | 'atomic'
  /** Between the first event and the last nothing is left out. */
  | 'reliable'
  /** It begins right after the revision that was asked for. */
  | 'resumable'
  /** After `progress` nothing up to its revision comes any more. */
  | 'bookmarkable'
  /** Nothing comes but what is under the prefix. */
  | 'filtered'
  /** What comes is what was committed, byte for byte, with its revisions. */
  | 'faithful'
  /** It expires only when what it needs was compacted away, and after that it is silent. */
  | 'ended';

/** Nothing ever happens at revision 1. */
const NOTHING_BEFORE: Revision = 1n;

interface Progress {
  /** The last revision that it was told of by changes; 0n: none. */
  changed: Revision;
  /** Nothing up to here is still to come. */
  done: Revision;
  phase: 'fresh' | 'following' | 'expired';
}

/**
 * INV-10 and INV-11: each watch of a process against the true history, event by event as they are
 * delivered; and at rest none has fallen silent, and each that expired has led to a relist.
 */
export function watchesCheck(
  ports: Pick<CheckPorts, 'violated' | 'reached'>,
  history: StoreHistory,
): Check {
  const watches = new Watches(ports, history);
  return { stored: (event) => watches.stored(event), rested: () => watches.rested() };
}

class Watches {
  readonly #ports: Pick<CheckPorts, 'violated' | 'reached'>;
  readonly #history: StoreHistory;
  readonly #open = new Map<OpenWatch, Progress>();
  /** Watches that have expired, whose processes have not listed again since. */
  readonly #unlisted = new Set<OpenWatch>();
  /** By process and prefix: the revision up to which it has seen everything. */
  readonly #seen = new Map<string, Revision>();

  constructor(ports: Pick<CheckPorts, 'violated' | 'reached'>, history: StoreHistory) {
    this.#ports = ports;
    this.#history = history;
  }

  stored(event: StoreEvent): void {
    const { kind } = event;
    if (kind === 'watching') this.#opened(event.watch);
    else if (kind === 'unwatched') this.#open.delete(event.watch);
    else if (kind === 'resumed') this.#ports.reached('watch resumed after its stream broke');
    else if (kind === 'delivered') this.#delivered(event.watch, event.event);
    else if (kind === 'called') this.#called(event.call);
    else if (kind === 'answered') this.#answered(event.call, event.answer);
  }

  rested(): void {
    const { violated } = this.#ports;
    for (const watch of this.#unlisted)
      if (!watch.signal.aborted)
        violated(11, `the watch of ${nameOf(watch)} has expired, and nothing was listed again`);
    const { head, compacted } = this.#history;
    for (const [watch, { done }] of this.#open) {
      if (watch.signal.aborted) continue;
      const missed = this.#history.nextChanged(watch.prefix, { after: done, upTo: head });
      if (missed === undefined) continue;
      const invariant = missed <= compacted ? 11 : 10;
      violated(invariant, `the watch of ${nameOf(watch)} keeps silent about revision ${missed}`);
    }
  }

  /** What lies between what a process has seen and where its watch begins it will never see. */
  #opened(watch: OpenWatch): void {
    const { process, prefix, afterRevision } = watch;
    this.#open.set(watch, { changed: 0n, done: afterRevision, phase: 'fresh' });
    const last = this.#seen.get(`${process} ${prefix}`) ?? NOTHING_BEFORE;
    if (afterRevision <= last) return;
    const what = `${nameOf(watch)} begins there, though it has seen nothing after ${last}`;
    this.#ports.violated(10, what);
  }

  #delivered(watch: OpenWatch, event: WatchEvent): void {
    const progress = this.#open.get(watch);
    if (progress === undefined) return this.#guilty(watch, ['ended', 'it is closed']);
    const fault = step(this.#history, watch, progress, event);
    if (fault !== undefined) this.#guilty(watch, fault);
    else if (event.kind === 'expired') this.#unlisted.add(watch);
    else this.#see(watch.process, watch.prefix, event.revision);
  }

  #called({ process, request }: StoreCall): void {
    if (request.kind !== 'list') return;
    for (const watch of this.#unlisted) {
      if (request.prefix !== watch.prefix || process !== watch.process) continue;
      this.#unlisted.delete(watch);
      this.#ports.reached('relist after compaction');
    }
  }

  #answered({ process, request }: StoreCall, answer: StoreAnswer): void {
    if (request.kind === 'list' && answer.kind === 'page')
      this.#see(process, request.prefix, answer.page.revision);
  }

  #see(process: string, prefix: string, revision: Revision): void {
    const key = `${process} ${prefix}`;
    if (revision > (this.#seen.get(key) ?? 0n)) this.#seen.set(key, revision);
  }

  #guilty(watch: OpenWatch, [property, what]: Fault): void {
    const invariant = property === 'ended' ? 11 : 10;
    this.#ports.violated(invariant, `the watch of ${nameOf(watch)} is not ${property}: ${what}`);
  }
}

type Fault = readonly [property: WatchProperty, what: string];

/** What is wrong with this event, if anything is; `progress` moves on with it. */
function step(
  history: StoreHistory,
  watch: OpenWatch,
  progress: Progress,
  event: WatchEvent,
): Fault | undefined {
  if (progress.phase === 'expired') return ['ended', `${event.kind} after it had expired`];
  switch (event.kind) {
    case 'expired':
      progress.phase = 'expired';
      return faultOfExpiry(history, progress, event.compactRevision);
    case 'progress': {
      const { revision } = event;
      const fault =
        revision < progress.done
          ? (['ordered', `progress ${revision} after ${progress.done}`] as const)
          : (faultOfGap(history, watch, progress, revision + 1n) ??
            faultOfFuture(history, 'bookmarkable', revision));
      progress.phase = 'following';
      progress.done = revision;
      return fault;
    }
    case 'changes': {
      const { revision, changes } = event;
      const fault =
        faultOfPlace(watch, progress, revision) ??
        faultOfGap(history, watch, progress, revision) ??
        faultOfFuture(history, 'faithful', revision) ??
        faultOfChanges(history.changesAt(watch.prefix, revision), watch.prefix, changes);
      progress.phase = 'following';
      progress.changed = revision;
      progress.done = revision;
      return fault;
    }
  }
}

/** A revision that is not after all that came before. */
function faultOfPlace(
  { afterRevision }: OpenWatch,
  { changed, done }: Progress,
  revision: Revision,
): Fault | undefined {
  if (revision > done) return undefined;
  if (revision === changed) return ['unique', `revision ${revision} comes twice`];
  if (revision < changed) return ['ordered', `revision ${revision} after ${changed}`];
  if (revision <= afterRevision)
    return ['resumable', `revision ${revision}, though it begins after ${afterRevision}`];
  return ['bookmarkable', `revision ${revision} after progress ${done}`];
}

/** Changes that are left out before `revision`. */
function faultOfGap(
  history: StoreHistory,
  { prefix }: OpenWatch,
  { phase, done }: Progress,
  revision: Revision,
): Fault | undefined {
  const missed = history.nextChanged(prefix, { after: done, upTo: revision - 1n });
  if (missed === undefined) return undefined;
  const property = phase === 'fresh' ? 'resumable' : 'reliable';
  return [property, `revision ${missed} is left out, between ${done} and ${revision}`];
}

function faultOfFuture(
  { head }: StoreHistory,
  property: WatchProperty,
  revision: Revision,
): Fault | undefined {
  return revision > head ? [property, `revision ${revision} when ${head} is the last`] : undefined;
}

function faultOfChanges(
  truth: readonly Change[],
  prefix: string,
  changes: readonly Change[],
): Fault | undefined {
  const keys = changes.map(keyOf);
  const foreign = keys.find((key) => !key.startsWith(prefix));
  if (foreign !== undefined) return ['filtered', `${foreign} is not under ${prefix}`];
  const invented = keys.find((key) => !truth.some((change) => keyOf(change) === key));
  if (invented !== undefined) return ['faithful', `${invented} did not change`];
  const missing = truth.map(keyOf).filter((key) => !keys.includes(key));
  if (missing.length > 0) return ['atomic', `${missing.join(' ')} changed as well`];
  const index = truth.findIndex((change, at) => !isDeepStrictEqual(change, changes[at]));
  if (index < 0 && changes.length === truth.length) return undefined;
  const sorted = isDeepStrictEqual(keys, truth.map(keyOf));
  if (!sorted) return ['atomic', `${keys.join(' ')} are not each there once, sorted by key`];
  return ['faithful', `${keys[index]} is not what was committed`];
}

function faultOfExpiry(
  { compacted }: StoreHistory,
  { done }: Progress,
  compactRevision: Revision,
): Fault | undefined {
  if (compactRevision > compacted)
    return ['ended', `it expired by a compaction to ${compactRevision} that never was`];
  if (compactRevision <= done)
    return ['ended', `it expired after ${done}, though only ${compactRevision} was compacted`];
  return undefined;
}

function nameOf({ process, prefix, afterRevision }: OpenWatch): string {
  return `${process} on ${prefix} after ${afterRevision}`;
}
