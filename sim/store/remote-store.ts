import {
  type CommitOutcome,
  type Store,
  type Transaction,
  UncertainError,
  type WatchEvent,
} from '../../runtime/store.ts';
import type { Process } from '../engine/process.ts';
import type { SeededRandom } from '../engine/random.ts';
import type { Scheduler } from '../engine/scheduler.ts';
import type { Faults } from '../faults/faults.ts';

export interface StorePorts {
  readonly store: Store;
  readonly scheduler: Scheduler;
  readonly random: SeededRandom;
  readonly faults: () => Faults;
  /** Whose calls these are. */
  readonly process: Process;
}

/** Longest way to the store, and back. */
const STORE_MS_MAX = 3;
/** What of a dying process is still on its way to the store, and how likely it arrives. */
const ARRIVES_AFTER_CRASH = 0.5;
/** How late: the next leader may have written by then. */
const LATE_MS_MAX = 5_000;

/**
 * The store as a process sees it over a network: calls may overtake one another, a commit that was
 * sent before a crash may still take effect, and an answer may get lost.
 */
export function remoteStore(ports: StorePorts): Store {
  const { store, scheduler, random, process, faults } = ports;
  const pause = (msMax = STORE_MS_MAX): Promise<void> =>
    new Promise((resolve) => scheduler.after(random.integer(0, msMax), resolve));

  async function call<T>(work: () => Promise<T>): Promise<T> {
    await pause();
    if (!process.alive) {
      if (!random.chance(ARRIVES_AFTER_CRASH)) return new Promise(() => undefined);
      await pause(LATE_MS_MAX);
    }
    try {
      return await work();
    } finally {
      await pause();
    }
  }

  async function commit(transaction: Transaction): Promise<CommitOutcome> {
    if (!random.chance(faults().commitUncertain)) return call(() => store.commit(transaction));
    await call(async () => {
      if (random.chance(0.5)) await store.commit(transaction);
    });
    throw new UncertainError('commit: the answer was lost');
  }

  async function* watch(...args: Parameters<Store['watch']>): AsyncGenerator<WatchEvent> {
    for await (const event of store.watch(...args)) {
      await pause();
      yield event;
    }
  }

  return process.wrap<Store>({
    get: (key) => call(() => store.get(key)),
    list: (prefix, options) => call(() => store.list(prefix, options)),
    commit,
    watch,
    grantLease: (ttlMs) => call(() => store.grantLease(ttlMs)),
    renewLease: (lease) => call(() => store.renewLease(lease)),
    revokeLease: (lease) => call(() => store.revokeLease(lease)),
    compact: (revision) => call(() => store.compact(revision)),
    close: () => Promise.resolve(),
  });
}
