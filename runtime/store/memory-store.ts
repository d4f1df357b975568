import type { Clock } from '../clock.ts';
import { logWatch } from '../log-watch.ts';
import { ChangeLog, type RevisionChanges } from './change-log.ts';
import { compareKeys } from './key-order.ts';
import { checkKey, checkList, checkTransaction, checkTtl, futureRevisionError } from './limits.ts';
import { KeySpace } from './memory-keys.ts';
import type {
  Change,
  CommitOutcome,
  KeyValue,
  LeaseId,
  ListOptions,
  Page,
  Revision,
  Store,
  Transaction,
  WatchEvent,
  Write,
} from './store.ts';
import { CompactedError } from './store.ts';

/**
 * A store in memory, for the simulation and for unit tests. Deterministic: the order of calls
 * decides everything, and time passes only by `clock.sleep`.
 */
export function memoryStore(ports: MemoryStorePorts): Store {
  return new MemoryStore(ports);
}

export interface MemoryStorePorts {
  readonly clock: Clock;
  /** Told of each revision as it comes about, before anyone else can see it. */
  readonly onRevision?: (made: RevisionChanges) => void;
}

interface Lease {
  readonly ttlMs: number;
  deadlineMs: number;
  readonly ended: AbortController;
}

class MemoryStore implements Store {
  readonly #clock: Clock;
  readonly #onRevision: (made: RevisionChanges) => void;
  readonly #keys = new KeySpace();
  readonly #leases = new Map<LeaseId, Lease>();
  readonly #log: ChangeLog;
  #lastLease = 0;
  /** Nothing ever happens at revision 1, so there is nothing to forget up to there. */
  #compacted: Revision = 1n;
  #phase: 'open' | 'closed' = 'open';

  constructor({ clock, onRevision = () => undefined }: MemoryStorePorts) {
    this.#clock = clock;
    this.#onRevision = onRevision;
    this.#log = new ChangeLog({
      afterRevision: 1n,
      changesMax: Infinity,
      lengthMax: Infinity,
      sleep: (ms, signal) => clock.sleep(ms, signal),
    });
    // A watch from the very beginning needs no history either.
    this.#log.floor = 0n;
  }

  async get(key: string): Promise<KeyValue | undefined> {
    this.#assertOpen();
    checkKey(key);
    return this.#keys.get(key);
  }

  async list(prefix: string, options: ListOptions = {}): Promise<Page> {
    this.#assertOpen();
    const limit = checkList(options);
    const head = this.#log.head;
    const revision = options.revision ?? head;
    if (revision > head) throw futureRevisionError(revision, head);
    if (revision < this.#compacted) {
      throw new CompactedError(`list ${prefix} at ${revision}: compacted to ${this.#compacted}`);
    }
    const found = this.#keys.list(prefix, {
      revision,
      limit: limit + 1,
      afterKey: options.afterKey ?? '',
    });
    return { items: found.slice(0, limit), revision, more: found.length > limit };
  }

  async commit(transaction: Transaction): Promise<CommitOutcome> {
    this.#assertOpen();
    checkTransaction(transaction);
    const revision = this.#log.head;
    for (const guard of transaction.guards) {
      const actual = this.#keys.get(guard.key)?.modRevision ?? 0n;
      if (actual !== guard.modRevision) return { outcome: 'conflict', revision };
    }
    for (const write of transaction.writes) {
      if (write.kind === 'put' && write.lease !== undefined && !this.#leases.has(write.lease)) {
        throw new Error(`put ${write.key}: lease ${write.lease} has ended`);
      }
    }
    this.#apply(transaction.writes);
    return { outcome: 'committed', revision: this.#log.head };
  }

  watch(
    prefix: string,
    options: { readonly afterRevision: Revision; readonly signal: AbortSignal },
  ): AsyncIterable<WatchEvent> {
    const log = this.#log;
    return logWatch({
      log,
      prefix,
      ...options,
      async *history() {
        yield { kind: 'expired', compactRevision: log.floor };
      },
    });
  }

  async grantLease(ttlMs: number): Promise<LeaseId> {
    this.#assertOpen();
    checkTtl(ttlMs);
    this.#lastLease += 1;
    const id = String(this.#lastLease);
    const deadlineMs = this.#clock.monotonicMs() + ttlMs;
    const lease: Lease = { ttlMs, deadlineMs, ended: new AbortController() };
    this.#leases.set(id, lease);
    // The sleep fails only when the lease was ended before its time.
    void this.#endInTime(id, lease).catch(() => undefined);
    return id;
  }

  async renewLease(id: LeaseId): Promise<'renewed' | 'expired'> {
    this.#assertOpen();
    const lease = this.#leases.get(id);
    if (lease === undefined) return 'expired';
    lease.deadlineMs = this.#clock.monotonicMs() + lease.ttlMs;
    return 'renewed';
  }

  async revokeLease(id: LeaseId): Promise<void> {
    this.#assertOpen();
    this.#leases.get(id)?.ended.abort();
    this.#endLease(id);
  }

  async compact(revision: Revision): Promise<void> {
    this.#assertOpen();
    if (revision > this.#log.head) throw futureRevisionError(revision, this.#log.head);
    if (revision <= this.#compacted) return;
    this.#compacted = revision;
    this.#keys.compact(revision);
    this.#log.forget(revision);
  }

  async close(): Promise<void> {
    this.#phase = 'closed';
    for (const lease of this.#leases.values()) lease.ended.abort();
    this.#log.close();
  }

  /** Sleeps once per renewal period, however often the lease is renewed. */
  async #endInTime(id: LeaseId, lease: Lease): Promise<void> {
    for (;;) {
      const remainingMs = lease.deadlineMs - this.#clock.monotonicMs();
      if (remainingMs <= 0) break;
      await this.#clock.sleep(remainingMs, lease.ended.signal);
    }
    this.#endLease(id);
  }

  #endLease(id: LeaseId): void {
    this.#leases.delete(id);
    this.#apply(this.#keys.ofLease(id).map((key) => ({ kind: 'delete', key })));
  }

  /** One revision for all writes; none if nothing changes. */
  #apply(writes: readonly Write[]): void {
    const revision = this.#log.head + 1n;
    const changes: Change[] = [];
    for (const write of writes.toSorted((left, right) => compareKeys(left.key, right.key))) {
      if (write.kind === 'put') {
        changes.push({ kind: 'put', item: this.#keys.put(write, revision) });
      } else if (this.#keys.delete(write.key, revision)) {
        changes.push({ kind: 'delete', key: write.key, modRevision: revision });
      }
    }
    if (changes.length === 0) return;
    this.#onRevision({ revision, changes });
    this.#log.append({ revision, changes });
  }

  #assertOpen(): void {
    if (this.#phase === 'closed') throw new Error('the store is closed');
  }
}
