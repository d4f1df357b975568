import { turns } from '../../runtime/node/settle.ts';
import type { Store, WatchEvent } from '../../runtime/store/store.ts';
import { takeTurns } from '../../runtime/turns.ts';
import type { Check, Commit } from '../check/check.ts';
import { Process } from '../engine/process.ts';
import { seededRandom } from '../engine/random.ts';
import { Scheduler } from '../engine/scheduler.ts';
import { CALM_STORE, type StoreFaults } from '../faults/store-faults.ts';
import { ObservedStore } from './observed-store.ts';
import { remoteStore, type StorePorts } from './remote-store.ts';

/** For tests: a store in a world of its own, and processes that use it. */
export class StoreScene {
  faults: StoreFaults = CALM_STORE;
  readonly commits: Commit[] = [];
  readonly scheduler: Scheduler;
  readonly store: ObservedStore;
  readonly #seed: string;
  readonly #inTurn = takeTurns();

  constructor(seed = 'store', checks: readonly Check[] = []) {
    this.#seed = seed;
    this.scheduler = new Scheduler({ random: seededRandom(`${seed} order`), turns });
    this.store = new ObservedStore({
      scheduler: this.scheduler,
      committed: (commit) => {
        this.commits.push(commit);
        for (const check of checks) check.committed?.(commit);
      },
      stored: (event) => {
        for (const check of checks) check.stored?.(event);
      },
      note: () => undefined,
    });
  }

  /** A process, and the store as it sees it. */
  process(
    name: string,
    ports: Pick<StorePorts, 'watchLagMs' | 'onEffect'> = {},
  ): { readonly process: Process; readonly remote: Store } {
    const { store, scheduler } = this;
    const process = new Process(name);
    const random = seededRandom(`${this.#seed} ${name}`);
    const faults = () => this.faults;
    return {
      process,
      remote: remoteStore({ ...ports, store, scheduler, random, faults, process }),
    };
  }

  /** Lets time pass until it has an outcome, which is returned. */
  run<T>(work: () => Promise<T>): Promise<T> {
    return this.#inTurn(async () => {
      let phase: 'open' | 'settled' = 'open';
      const settled = (): void => {
        phase = 'settled';
      };
      const result = work();
      result.then(settled, settled);
      await this.scheduler.run(Infinity, () => phase === 'settled');
      return result;
    });
  }

  async pass(ms: number): Promise<void> {
    await this.#inTurn(() => this.scheduler.run(this.scheduler.nowMs + ms));
  }

  /** The same store, for callers that know nothing of this world: time passes while they wait. */
  driven(remote: Store): Store {
    return {
      get: (key) => this.run(() => remote.get(key)),
      list: (prefix, options) => this.run(() => remote.list(prefix, options)),
      commit: (transaction) => this.run(() => remote.commit(transaction)),
      watch: (...args) => this.#drivenWatch(remote, ...args),
      grantLease: (ttlMs) => this.run(() => remote.grantLease(ttlMs)),
      renewLease: (lease) => this.run(() => remote.renewLease(lease)),
      revokeLease: (lease) => this.run(() => remote.revokeLease(lease)),
      compact: (revision) => this.run(() => remote.compact(revision)),
      close: () => this.store.close(),
    };
  }

  /** Time passes while something is on its way, for a watch that waits for the future blocks none. */
  async *#drivenWatch(
    remote: Store,
    ...[prefix, options]: Parameters<Store['watch']>
  ): AsyncGenerator<WatchEvent> {
    const { history } = this.store;
    const events = remote.watch(prefix, options)[Symbol.asyncIterator]();
    let position = options.afterRevision;
    const isDue = (): boolean =>
      position < history.compacted ||
      history.nextChanged(prefix, { after: position, upTo: history.head }) !== undefined;
    try {
      for (;;) {
        const next = events.next();
        const result = await (isDue() ? this.run(() => next) : next);
        if (result.done === true) return;
        yield result.value;
        if (result.value.kind !== 'expired') position = result.value.revision;
      }
    } finally {
      await events.return?.();
    }
  }
}
