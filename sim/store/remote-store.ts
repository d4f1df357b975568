import {
  type CommitOutcome,
  type LeaseId,
  LIST_LIMIT_MAX,
  type ListOptions,
  type Page,
  type Store,
  type Transaction,
  UncertainError,
} from '../../runtime/store/store.ts';
import type { StoreAnswer, StoreRequest } from '../check/store-event.ts';
import type { Process } from '../engine/process.ts';
import type { SeededRandom } from '../engine/random.ts';
import type { Scheduler } from '../engine/scheduler.ts';
import type { StoreFaults } from '../faults/store-faults.ts';
import type { ObservedStore } from './observed-store.ts';
import { remoteWatch } from './remote-watch.ts';

export interface StorePorts {
  readonly store: ObservedStore;
  readonly scheduler: Scheduler;
  readonly random: SeededRandom;
  readonly faults: () => StoreFaults;
  /** Whose calls these are. */
  readonly process: Process;
  /** Its watches show each revision no sooner than so long after it came about. */
  readonly watchLagMs?: number;
  /**
   * Told of each write that took effect, in words, before its answer travels back: whoever crashes
   * the process now makes it forget a thing that it has done.
   */
  readonly onEffect?: (process: Process, what: string) => void;
}

/** What of a dying process is still on its way to the store, and how likely it arrives. */
const ARRIVES_AFTER_CRASH = 0.5;
/** How late: the next leader may have written by then. */
const LATE_MS_MAX = 5_000;
/** How long a call takes that is held up. */
const STALL_MS_MAX = 8_000;
/** An adapter repeats what may be repeated for so long, and then gives up. */
const PATIENCE_MS_MAX = 10_000;
/** Some calls that do not get through fail at once; the others hang first. */
const FAILS_AT_ONCE = 0.5;
/** A commit that did not get through may have been refused for certain, or be on its way still. */
const CERTAIN_SHARE = 0.2;
const ARRIVES_YET = 0.5;
const PAGE_ITEMS_MAX = 5;

/**
 * The store as a process sees it over a network: calls may overtake one another, fail, hang and
 * arrive late; a commit that was sent before a crash may still take effect, and answers get lost.
 */
export function remoteStore(ports: StorePorts): Store {
  const { store, process } = ports;
  const remote = new RemoteStore(ports);
  const watchPorts = { ...ports, random: ports.random.fork('watches') };
  store.open(process);
  return process.wrap<Store>({
    get: (key) => remote.get(key),
    list: (prefix, options) => remote.list(prefix, options),
    commit: (transaction) => remote.commit(transaction),
    watch: (prefix, options) => remoteWatch(watchPorts, prefix, options),
    grantLease: (ttlMs) => remote.write('grant a lease', () => store.grantLease(ttlMs)),
    renewLease: (lease) => remote.renewLease(lease),
    revokeLease: (lease) => remote.write(`revoke lease ${lease}`, () => store.revokeLease(lease)),
    compact: (revision) => remote.write(`compact to ${revision}`, () => store.compact(revision)),
    close: () => Promise.resolve(),
  });
}

class RemoteStore {
  readonly #ports: StorePorts;

  constructor(ports: StorePorts) {
    this.#ports = ports;
  }

  async get(key: string): ReturnType<Store['get']> {
    const { store } = this.#ports;
    return this.#observed(
      { kind: 'get', key },
      () => this.#call(`get ${key}`, () => store.get(key)),
      (item) => ({ kind: 'item', item }),
    );
  }

  async list(prefix: string, options: ListOptions = {}): Promise<Page> {
    const { store, random, faults } = this.#ports;
    const { limit = LIST_LIMIT_MAX } = options;
    // As where an answer would be too large: pages may be shorter than asked for.
    const isShort = random.chance(faults().shortPages);
    const short = { ...options, limit: Math.min(limit, random.integer(1, PAGE_ITEMS_MAX)) };
    return this.#observed(
      { kind: 'list', prefix, options },
      () => this.#call(`list ${prefix}`, () => store.list(prefix, isShort ? short : options)),
      (page) => ({ kind: 'page', page }),
    );
  }

  async commit(transaction: Transaction): Promise<CommitOutcome> {
    return this.#observed(
      { kind: 'commit', transaction },
      () => this.#commit(transaction),
      (outcome) => ({ kind: 'outcome', outcome }),
    );
  }

  async renewLease(lease: LeaseId): Promise<'renewed' | 'expired'> {
    const { store, random, faults } = this.#ports;
    const what = `renew lease ${lease}`;
    const renew = (): Promise<'renewed' | 'expired'> =>
      this.#call(what, () => store.renewLease(lease));
    if (!random.chance(faults().renewalLost)) return renew();
    const fate = random.pick(['lost', 'unanswered', 'late'] as const);
    if (fate === 'unanswered') await renew();
    await this.#pause(random.integer(0, PATIENCE_MS_MAX));
    if (fate === 'late') return renew();
    throw new Error(`${what}: no answer`);
  }

  /** For what changes something, and does no harm when it happens twice. */
  write<T>(what: string, work: () => Promise<T>): Promise<T> {
    return this.#call(what, () => this.#effect(what, work));
  }

  async #commit(transaction: Transaction): Promise<CommitOutcome> {
    const { random, faults, store, process } = this.#ports;
    const commit = (): Promise<CommitOutcome> => this.#take(transaction);
    if (random.chance(faults().commitUncertain)) {
      const fate = random.pick(['lost', 'unanswered', 'late'] as const);
      if (fate === 'unanswered') await this.#arrive().then(commit);
      if (fate === 'late') this.#late(transaction);
      await this.#pause(this.#latencyMs());
      throw new UncertainError('commit: the answer was lost');
    }
    if (!(await this.#reach())) {
      if (random.chance(CERTAIN_SHARE)) throw new Error('commit: the store cannot be reached');
      if (random.chance(ARRIVES_YET)) this.#late(transaction);
      throw new UncertainError('commit: the store does not answer');
    }
    await this.#survive();
    const breaks = store.weather.breaks(process.name);
    const outcome = await commit();
    if (await this.#answer(breaks)) return outcome;
    throw new UncertainError('commit: the connection broke');
  }

  /** The transaction at the store. */
  async #take(transaction: Transaction): Promise<CommitOutcome> {
    const { store, process, onEffect } = this.#ports;
    const outcome = await store.commitFrom(process.name, transaction);
    const keys = transaction.writes.map(({ kind, key }) => (kind === 'put' ? key : `-${key}`));
    if (outcome.outcome === 'committed' && process.alive)
      onEffect?.(process, `commit ${outcome.revision}: ${keys.join(' ')}`);
    return outcome;
  }

  async #effect<T>(what: string, work: () => Promise<T>): Promise<T> {
    const { process, onEffect } = this.#ports;
    const result = await work();
    if (process.alive) onEffect?.(process, what);
    return result;
  }

  /** It takes effect although nobody waits for it any more. */
  #late(transaction: Transaction): void {
    const { scheduler, random, process } = this.#ports;
    const arrive = async (): Promise<void> => {
      await this.#arrive();
      await this.#take(transaction);
    };
    scheduler.after(random.integer(0, LATE_MS_MAX), () => void arrive().catch(() => undefined));
    this.#ports.store.note(`a commit of ${process.name} is late`);
  }

  /** One call and its answer; either may be lost. Throws an operating failure. */
  async #call<T>(what: string, work: () => Promise<T>): Promise<T> {
    const { store, process, random, faults } = this.#ports;
    const isLost = random.chance(faults().callLost);
    if ((isLost && random.chance(0.5)) || !(await this.#reach()))
      throw new Error(`${what}: the store cannot be reached`);
    await this.#survive();
    const breaks = store.weather.breaks(process.name);
    const result = await work();
    if ((await this.#answer(breaks)) && !isLost) return result;
    throw new Error(`${what}: the answer was lost`);
  }

  /** The way to the store; false: it cannot be reached for so long that the caller gives up. */
  async #reach(): Promise<boolean> {
    const { store, process, scheduler, random } = this.#ports;
    await this.#pause(this.#latencyMs());
    if (store.weather.reaches(process.name)) return true;
    const patienceMs = random.chance(FAILS_AT_ONCE) ? 0 : random.integer(0, PATIENCE_MS_MAX);
    const untilMs = scheduler.nowMs + patienceMs;
    while (!store.weather.reaches(process.name)) {
      if (scheduler.nowMs >= untilMs) return false;
      await store.weather.wait(untilMs - scheduler.nowMs);
    }
    return true;
  }

  /** The way to the store, however long it takes. */
  async #arrive(): Promise<void> {
    const { store, process } = this.#ports;
    await this.#pause(this.#latencyMs());
    while (!store.weather.reaches(process.name)) await store.weather.wait(Infinity);
  }

  /** What a process has sent before it died may arrive, or not. */
  async #survive(): Promise<void> {
    const { process, random } = this.#ports;
    if (process.alive) return;
    if (!random.chance(ARRIVES_AFTER_CRASH)) return new Promise(() => undefined);
    await this.#pause(random.integer(0, LATE_MS_MAX));
  }

  /** The way back; false: the connection broke meanwhile. */
  async #answer(breaks: number): Promise<boolean> {
    const { store, process } = this.#ports;
    await this.#pause(this.#latencyMs());
    return store.weather.breaks(process.name) === breaks;
  }

  async #observed<T>(
    request: StoreRequest,
    work: () => Promise<T>,
    answerOf: (result: T) => StoreAnswer,
  ): Promise<T> {
    const { store, process } = this.#ports;
    const call = { process: process.name, request };
    store.tell({ kind: 'called', call });
    try {
      const result = await work();
      store.tell({ kind: 'answered', call, answer: answerOf(result) });
      return result;
    } catch (error) {
      store.tell({ kind: 'answered', call, answer: { kind: 'failed', error } });
      throw error;
    }
  }

  #latencyMs(): number {
    const { random, faults } = this.#ports;
    const { storeStall, storeLatencyMsMax } = faults();
    return random.integer(0, random.chance(storeStall) ? STALL_MS_MAX : storeLatencyMsMax);
  }

  #pause(ms: number): Promise<void> {
    return this.#ports.store.weather.pause(ms);
  }
}
