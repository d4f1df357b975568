import { setTimeout as sleep } from 'node:timers/promises';
import type { HistoryStep } from '../../../runtime/log-watch.ts';
import { logWatch } from '../../../runtime/log-watch.ts';
import { ChangeLog } from '../../../runtime/store/change-log.ts';
import type { Revision, WatchEvent } from '../../../runtime/store/store.ts';
import type { FeedOptions } from './feed.ts';
import { feed } from './feed.ts';

export interface WatchHubOptions extends FeedOptions {
  readonly recentChangesMax: number;
}

/** In UTF-16 units of keys and values. */
const RECENT_LENGTH_MAX = 16 * 1024 * 1024;

/**
 * All watches of a store share one feed, whose newest changes are kept in a log. A watch that
 * needs older ones has a feed of its own until it has caught up.
 */
export class WatchHub {
  readonly #options: WatchHubOptions;
  readonly #closed = new AbortController();
  readonly #log: ChangeLog;
  #phase: 'idle' | 'running' = 'idle';

  constructor(options: WatchHubOptions) {
    this.#options = options;
    this.#log = new ChangeLog({
      afterRevision: 0n,
      changesMax: options.recentChangesMax,
      lengthMax: RECENT_LENGTH_MAX,
      sleep: (ms, signal) => sleep(ms, undefined, signal === undefined ? {} : { signal }),
    });
  }

  async *watch(
    prefix: string,
    options: { readonly afterRevision: Revision; readonly signal: AbortSignal },
  ): AsyncGenerator<WatchEvent, void, void> {
    this.#start(options.afterRevision);
    yield* logWatch({
      log: this.#log,
      prefix,
      ...options,
      history: (_prefix, from) => this.#history(prefix, from),
    });
  }

  /** Watches that are behind this revision must expire. */
  forget(revision: Revision): void {
    if (this.#phase === 'running') this.#log.forget(revision);
  }

  close(): void {
    this.#closed.abort();
    this.#log.close();
  }

  /** The first watch says where the shared feed begins: the others mostly want what comes later. */
  #start(afterRevision: Revision): void {
    if (this.#phase === 'running' || this.#closed.signal.aborted) return;
    this.#phase = 'running';
    this.#log.restart(afterRevision);
    void this.#run().catch(this.#options.onBroken);
  }

  async #run(): Promise<void> {
    const { signal } = this.#closed;
    while (!signal.aborted) {
      for await (const step of feed(this.#options, { afterRevision: this.#log.head, signal })) {
        // Each watch that needs what is gone learns it from a feed of its own.
        if (step.kind === 'expired') this.#log.restart(step.compactRevision);
        else this.#log.append(step);
      }
    }
  }

  async *#history(
    prefix: string,
    from: { readonly afterRevision: Revision; readonly signal: AbortSignal },
  ): AsyncGenerator<HistoryStep, void, void> {
    if (this.#closed.signal.aborted) throw new Error(`watch ${prefix}: the store is closed`);
    const signal = AbortSignal.any([from.signal, this.#closed.signal]);
    for await (const step of feed(this.#options, { ...from, signal })) {
      if (step.kind === 'expired') return yield step;
      const changes = step.changes.filter((change) =>
        (change.kind === 'put' ? change.item.key : change.key).startsWith(prefix),
      );
      yield { ...step, changes };
    }
  }
}
