import type { RevisionChanges } from '../../runtime/store/change-log.ts';
import { memoryStore } from '../../runtime/store/memory-store.ts';
import type {
  CommitOutcome,
  KeyValue,
  LeaseId,
  ListOptions,
  Page,
  Revision,
  Store,
  Transaction,
  WatchEvent,
} from '../../runtime/store/store.ts';
import type { Commit } from '../check/check.ts';
import type { StoreEvent } from '../check/store-event.ts';
import { StoreHistory } from '../check/store-history.ts';
import type { Process } from '../engine/process.ts';
import type { Scheduler } from '../engine/scheduler.ts';
import { StoreWeather } from './weather.ts';

export interface ObservedStorePorts {
  readonly scheduler: Scheduler;
  /** Told of each commit that took effect. */
  readonly committed: (commit: Commit) => void;
  /** Told of all else that happens. */
  readonly stored: (event: StoreEvent) => void;
  /** For the trace: what befalls the store. */
  readonly note: (what: string) => void;
}

/** While the store has no leader no lease ends: they are renewed this often. */
const KEEP_LEASES_MS = 1_000;

/**
 * The one store of a world, with all that happens in it told to the checks. Its own methods are for
 * the world itself: they take no time and never fail. Processes use it by `remoteStore`.
 */
export class ObservedStore implements Store {
  readonly weather: StoreWeather;
  /** All that it ever held. */
  history: StoreHistory = new StoreHistory();
  #store: Store;
  readonly #ports: ObservedStorePorts;
  readonly #madeMs = new Map<Revision, number>();
  readonly #leases = new Set<LeaseId>();
  readonly #atRevision = new Map<Revision, () => void>();
  readonly #streams = new Set<() => void>();
  #clients: readonly Process[] = [];
  #commits: 'now' | 'not now' = 'not now';

  constructor(ports: ObservedStorePorts) {
    this.#ports = ports;
    this.weather = new StoreWeather(ports.scheduler);
    this.#store = this.#open();
  }

  /** Puts it back to what it was earlier, when nobody has it open; revisions begin anew. */
  async restore(items: readonly KeyValue[]): Promise<void> {
    this.note('is restored from a backup');
    await this.#store.close();
    this.#leases.clear();
    this.#madeMs.clear();
    this.#atRevision.clear();
    this.history = new StoreHistory();
    this.#store = this.#open();
    for (const { key, value } of items)
      await this.#store.commit({ guards: [], writes: [{ kind: 'put', key, value }] });
  }

  /** Processes that have it open and live, oldest first. */
  clients(): readonly Process[] {
    this.#clients = this.#clients.filter(({ alive }) => alive);
    return this.#clients;
  }

  open(process: Process): void {
    this.#clients = [...this.clients(), process];
  }

  /** Virtual milliseconds at which a revision came about; before the first one: 0. */
  madeMs(revision: Revision): number {
    return this.#madeMs.get(revision) ?? 0;
  }

  tell(event: StoreEvent): void {
    this.history.learn(event);
    this.#ports.stored(event);
  }

  note(what: string): void {
    this.#ports.note(what);
  }

  async commitFrom(process: string, transaction: Transaction): Promise<CommitOutcome> {
    this.#commits = 'now';
    const committed = this.#store.commit(transaction);
    this.#commits = 'not now';
    const outcome = await committed;
    const { revision } = outcome;
    if (outcome.outcome === 'conflict') {
      this.tell({ kind: 'refused', process, transaction, revision });
      return outcome;
    }
    const before = new Map<string, KeyValue | undefined>();
    for (const { key } of transaction.writes) before.set(key, this.history.get(key, revision - 1n));
    this.#ports.committed({ revision, transaction, before, process });
    return outcome;
  }

  /** No leader: nobody reaches it and no lease ends; afterwards each has its whole time again. */
  goDown(): void {
    if (this.weather.isDown) return;
    this.note('GOES DOWN');
    this.weather.goDown();
    void this.#keepLeases();
  }

  comeUp(): void {
    if (!this.weather.isDown) return;
    this.note('is up again');
    this.weather.comeUp();
    void this.#renewAll();
  }

  /** Those that may still be alive, oldest first. */
  leases(): readonly LeaseId[] {
    return [...this.#leases];
  }

  /** Runs `action` once that revision has come about. */
  atRevision(revision: Revision, action: () => void): void {
    this.#atRevision.set(revision, action);
  }

  /** Watches begin new streams, some time later, after the last revision that each has delivered. */
  breakStreams(): void {
    this.note('breaks all streams');
    for (const broken of [...this.#streams]) broken();
  }

  /** What is to happen when streams break; returns what calls it off. */
  onBreak(broken: () => void): () => void {
    this.#streams.add(broken);
    return () => this.#streams.delete(broken);
  }

  get(key: string): Promise<KeyValue | undefined> {
    return this.#store.get(key);
  }

  list(prefix: string, options?: ListOptions): Promise<Page> {
    return this.#store.list(prefix, options);
  }

  commit(transaction: Transaction): Promise<CommitOutcome> {
    return this.commitFrom('world', transaction);
  }

  watch(
    prefix: string,
    options: { readonly afterRevision: Revision; readonly signal: AbortSignal },
  ): AsyncIterable<WatchEvent> {
    return this.#store.watch(prefix, options);
  }

  async grantLease(ttlMs: number): Promise<LeaseId> {
    const lease = await this.#store.grantLease(ttlMs);
    this.#leases.add(lease);
    return lease;
  }

  renewLease(lease: LeaseId): Promise<'renewed' | 'expired'> {
    return this.#store.renewLease(lease);
  }

  async revokeLease(lease: LeaseId): Promise<void> {
    await this.#store.revokeLease(lease);
    this.#leases.delete(lease);
  }

  async compact(revision: Revision): Promise<void> {
    await this.#store.compact(revision);
    this.tell({ kind: 'compacted', revision });
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  #open(): Store {
    const clock = this.#ports.scheduler.clock();
    return memoryStore({ clock, onRevision: (made) => this.#made(made) });
  }

  #made(made: RevisionChanges): void {
    this.#madeMs.set(made.revision, this.#ports.scheduler.nowMs);
    const by = this.#commits === 'now' ? 'commit' : 'lease';
    this.tell({ kind: 'revision', by, ...made });
    const action = this.#atRevision.get(made.revision);
    if (action !== undefined) this.#ports.scheduler.after(0, action);
  }

  async #keepLeases(): Promise<void> {
    while (this.weather.isDown) {
      await this.#renewAll();
      await this.weather.wait(KEEP_LEASES_MS);
    }
  }

  async #renewAll(): Promise<void> {
    for (const lease of this.#leases)
      if ((await this.#store.renewLease(lease)) === 'expired') this.#leases.delete(lease);
  }
}
