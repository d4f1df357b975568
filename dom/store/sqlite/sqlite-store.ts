import { setTimeout as sleep } from 'node:timers/promises';
import type { HistoryStep } from '../../../runtime/log-watch.ts';
import { logWatch } from '../../../runtime/log-watch.ts';
import { ChangeLog } from '../../../runtime/store/change-log.ts';
import { checkKey, checkList, checkTransaction, checkTtl } from '../../../runtime/store/limits.ts';
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
} from '../../../runtime/store/store.ts';
import type { SqliteStats } from './protocol.ts';
import { WorkerClient } from './worker-client.ts';

export interface SqliteStoreOptions {
  /** Created if absent; its folder must exist. */
  readonly file: string;
  /** The worker thread's entry, for a bundle that moved it. */
  readonly worker?: URL;
  /** Watches that lag by more changes than this read from the file. */
  readonly recentChangesMax?: number;
  /** The thread has ended unasked: no call will succeed again, so the process had better end too. */
  readonly onLost?: () => void;
}

export interface SqliteStore extends Store {
  stats(): Promise<SqliteStats>;
}

/**
 * A store in one SQLite file, for a control plane of one machine.
 *
 * Guarantees: those of `Store`; a commit is answered after its fsync; commits that wait at the
 * same time share one.
 * Assumptions: a local disk that keeps what it has fsynced.
 * Errors: rejects when the file is open elsewhere, corrupt, not a store, or of a newer version. A
 * COMMIT that fails inside SQLite is an `UncertainError`; a full disk is an operating failure.
 */
export async function sqliteStore(options: SqliteStoreOptions): Promise<SqliteStore> {
  const log = new ChangeLog({
    afterRevision: 0n,
    changesMax: options.recentChangesMax ?? RECENT_CHANGES_MAX,
    lengthMax: RECENT_LENGTH_MAX,
    sleep: (ms, signal) => sleep(ms, undefined, signal === undefined ? {} : { signal }),
  });
  const life: { store?: WorkerStore } = {};
  const client = await WorkerClient.open({
    file: options.file,
    worker: options.worker ?? new URL('./main.ts', import.meta.url),
    onOpened: (head) => log.restart(head),
    onChanges: (revisions) => {
      for (const entry of revisions) log.append(entry);
    },
    onEnd: () => {
      log.close();
      if (life.store?.phase === 'open') options.onLost?.();
    },
  });
  life.store = new WorkerStore(client, log);
  return life.store;
}

const RECENT_CHANGES_MAX = 10_000;
/** In UTF-16 units of keys and values. */
const RECENT_LENGTH_MAX = 16 * 1024 * 1024;

class WorkerStore implements SqliteStore {
  phase: 'open' | 'closed' = 'open';
  readonly #client: WorkerClient;
  readonly #log: ChangeLog;

  constructor(client: WorkerClient, log: ChangeLog) {
    this.#client = client;
    this.#log = log;
  }

  async get(key: string): Promise<KeyValue | undefined> {
    checkKey(key);
    return await this.#client.call('get', { key });
  }

  async list(prefix: string, options: ListOptions = {}): Promise<Page> {
    const limit = checkList(options);
    const { afterKey = '', revision } = options;
    return await this.#client.call('list', { prefix, afterKey, limit, revision });
  }

  async commit(transaction: Transaction): Promise<CommitOutcome> {
    checkTransaction(transaction);
    return await this.#client.call('commit', transaction);
  }

  watch(
    prefix: string,
    options: { readonly afterRevision: Revision; readonly signal: AbortSignal },
  ): AsyncIterable<WatchEvent> {
    const client = this.#client;
    return logWatch({ log: this.#log, prefix, ...options, history });

    async function* history(
      _prefix: string,
      { afterRevision }: { readonly afterRevision: Revision },
    ): AsyncGenerator<HistoryStep, void, void> {
      for (let position = afterRevision; ; ) {
        const page = await client.call('history', { prefix, afterRevision: position });
        if (page.kind === 'expired') return yield page;
        for (const entry of page.revisions) yield { kind: 'changes', ...entry };
        position = page.through;
        yield { kind: 'changes', revision: position, changes: [] };
      }
    }
  }

  async grantLease(ttlMs: number): Promise<LeaseId> {
    checkTtl(ttlMs);
    return await this.#client.call('grantLease', { ttlMs });
  }

  async renewLease(lease: LeaseId): Promise<'renewed' | 'expired'> {
    return await this.#client.call('renewLease', { lease });
  }

  async revokeLease(lease: LeaseId): Promise<void> {
    await this.#client.call('revokeLease', { lease });
  }

  async compact(revision: Revision): Promise<void> {
    await this.#client.call('compact', { revision });
    this.#log.forget(revision);
  }

  async stats(): Promise<SqliteStats> {
    return await this.#client.call('stats', undefined);
  }

  async close(): Promise<void> {
    this.phase = 'closed';
    this.#log.close();
    await this.#client.close();
  }
}
