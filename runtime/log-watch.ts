import type { ChangeLog, RevisionChanges } from './store/change-log.ts';
import type { Revision, WatchEvent } from './store/store.ts';

/** One step through a store's past: a revision's changes under a prefix (maybe none), or its end. */
export type HistoryStep =
  | ({ readonly kind: 'changes' } & RevisionChanges)
  | { readonly kind: 'expired'; readonly compactRevision: Revision };

export interface LogWatchOptions {
  readonly log: ChangeLog;
  /**
   * Reads what the log no longer holds: the steps after `afterRevision`, in order. It may end as
   * soon as the log reaches back to its last step; otherwise it goes on to the present.
   */
  readonly history: (
    prefix: string,
    options: { readonly afterRevision: Revision; readonly signal: AbortSignal },
  ) => AsyncIterable<HistoryStep>;
  readonly prefix: string;
  readonly afterRevision: Revision;
  readonly signal: AbortSignal;
}

/**
 * `Store.watch` over a change log and a way to read further back. The consumer pulls: nothing is
 * buffered for it, so a slow one falls back to history and neither loses nor reorders anything.
 */
export async function* logWatch(options: LogWatchOptions): AsyncGenerator<WatchEvent, void, void> {
  const { log, history, prefix, signal } = options;
  /** Everything up to here was yielded or is of no interest. */
  let position = options.afterRevision;
  /** What the consumer knows. */
  let reported = position;
  let progress: 'due' | 'later' = 'due';
  while (!signal.aborted) {
    if (position < log.floor) {
      for await (const step of history(prefix, { afterRevision: position, signal })) {
        if (step.kind === 'expired') {
          yield step;
          return;
        }
        position = step.revision;
        if (step.changes.length > 0) {
          reported = position;
          yield step;
        }
        if (signal.aborted || position >= log.floor) break;
      }
      progress = 'due';
      continue;
    }
    const found = log.next(prefix, position);
    if (found !== undefined) {
      position = found.revision;
      reported = position;
      yield { kind: 'changes', ...found };
      continue;
    }
    if (log.head > position) position = log.head;
    if (progress === 'due') {
      progress = 'later';
      if (position > reported) {
        reported = position;
        yield { kind: 'progress', revision: position };
        continue;
      }
    }
    const wake = await log.wait(prefix, { position, reported, signal });
    position = wake.position;
    if (wake.reason === 'closed') throw new Error(`watch ${prefix}: the store is closed`);
    if (wake.reason === 'progress') progress = 'due';
  }
}
