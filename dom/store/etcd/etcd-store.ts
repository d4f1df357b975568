import { setTimeout as sleep } from 'node:timers/promises';
import type { Etcd3, ITxnRequest } from 'etcd3';
import { CompareResult, CompareTarget } from 'etcd3';
import type { Log } from '../../../runtime/log.ts';
import { silentLog } from '../../../runtime/log.ts';
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
import type { KeyCodec } from './codec.ts';
import { keyCodec } from './codec.ts';
import type { EtcdOptions } from './connection.ts';
import { connect } from './connection.ts';
import {
  callError,
  commitError,
  isCompacted,
  isFinal,
  isLeaseEnded,
  isResponseTooLarge,
} from './errors.ts';
import { renewLease } from './lease.ts';
import { WatchHub } from './watch-hub.ts';
import type { WatchPatience } from './watch-stream.ts';

export interface EtcdStoreOptions extends EtcdOptions {
  readonly log?: Log;
  /** When a watch stream counts as stalled. */
  readonly patience?: WatchPatience;
  /** Watches that lag by more changes than this read from etcd again. */
  readonly recentChangesMax?: number;
}

/**
 * A store in etcd v3, for a control plane of several machines.
 *
 * Guarantees: those of `Store`. Reads are repeated inside until a deadline; commits never are.
 * Assumptions: nobody else writes under the prefix. etcd is started with
 * `--max-request-bytes=8388608`, for its default is less than a transaction may hold.
 * Caveats: leases last whole seconds, at least about two. Connects with the first call.
 * Errors: a commit whose answer was lost is an `UncertainError`.
 */
export function etcdStore(options: EtcdStoreOptions): Store {
  return new EtcdStore(options);
}

const PATIENCE: WatchPatience = { askAfterMs: 2_000, giveUpAfterMs: 6_000 };
const RECENT_CHANGES_MAX = 10_000;
/** How long a call that may be repeated is repeated. */
const REPEAT_MS_MAX = 10_000;
const REPEAT_EVERY_MS = 100;

class EtcdStore implements Store {
  readonly #client: Etcd3;
  readonly #keys: KeyCodec;
  readonly #hub: WatchHub;
  #phase: 'open' | 'closed' = 'open';

  constructor(options: EtcdStoreOptions) {
    const { log = silentLog } = options;
    this.#client = connect(options);
    this.#keys = keyCodec(options.prefix ?? '');
    this.#hub = new WatchHub({
      connect: () => connect(options),
      keys: this.#keys,
      patience: options.patience ?? PATIENCE,
      recentChangesMax: options.recentChangesMax ?? RECENT_CHANGES_MAX,
      onBroken: (error) => log.warn({ error: String(error) }, 'etcd watch broke, opening another'),
    });
  }

  async get(key: string): Promise<KeyValue | undefined> {
    checkKey(key);
    const request = { key: this.#keys.encode(key) };
    const { kvs } = await this.#repeat(`get ${key}`, () => this.#client.kv.range(request));
    return kvs[0] === undefined ? undefined : this.#keys.item(kvs[0]);
  }

  async list(prefix: string, options: ListOptions = {}): Promise<Page> {
    const request = {
      ...this.#keys.range(prefix, options.afterKey),
      revision: String(options.revision ?? 0n),
    };
    let limit = checkList(options);
    const response = await this.#repeat(`list ${prefix}`, async () => {
      for (;;) {
        try {
          return await this.#client.kv.range({ ...request, limit });
        } catch (error) {
          if (!isResponseTooLarge(error) || limit === 1) throw error;
          limit = Math.ceil(limit / 2);
        }
      }
    });
    return {
      items: response.kvs.map((stored) => this.#keys.item(stored)),
      revision: options.revision ?? BigInt(response.header.revision),
      more: response.more,
    };
  }

  async commit(transaction: Transaction): Promise<CommitOutcome> {
    checkTransaction(transaction);
    this.#assertOpen();
    try {
      const { succeeded, header } = await this.#client.kv.txn(this.#request(transaction));
      return {
        outcome: succeeded ? 'committed' : 'conflict',
        revision: BigInt(header.revision),
      };
    } catch (error) {
      throw commitError(error);
    }
  }

  watch(
    prefix: string,
    options: { readonly afterRevision: Revision; readonly signal: AbortSignal },
  ): AsyncIterable<WatchEvent> {
    return this.#hub.watch(prefix, options);
  }

  async grantLease(ttlMs: number): Promise<LeaseId> {
    checkTtl(ttlMs);
    // An answer that was lost leaves a lease without keys, which ends by itself.
    const request = { TTL: Math.ceil(ttlMs / 1000), ID: 0 };
    const { ID } = await this.#repeat('grant a lease', () =>
      this.#client.leaseClient.leaseGrant(request),
    );
    return ID;
  }

  async renewLease(lease: LeaseId): Promise<'renewed' | 'expired'> {
    if (!isLeaseId(lease)) return 'expired';
    return await this.#repeat(`renew lease ${lease}`, () => renewLease(this.#client, lease));
  }

  async revokeLease(lease: LeaseId): Promise<void> {
    if (!isLeaseId(lease)) return;
    await this.#repeat(`revoke lease ${lease}`, async () => {
      try {
        await this.#client.leaseClient.leaseRevoke({ ID: lease });
      } catch (error) {
        if (!isLeaseEnded(error)) throw error;
      }
    });
  }

  async compact(revision: Revision): Promise<void> {
    await this.#repeat(`compact to ${revision}`, async () => {
      try {
        await this.#client.kv.compact({ revision: String(revision) });
      } catch (error) {
        if (!isCompacted(error)) throw error;
      }
    });
    this.#hub.forget(revision);
  }

  async close(): Promise<void> {
    this.#phase = 'closed';
    this.#hub.close();
    this.#client.close();
  }

  #request({ guards, writes }: Transaction): ITxnRequest {
    // Without any request etcd would answer from this member alone, which may be behind.
    const read = { request_range: { key: this.#keys.encode('/'), count_only: true } };
    const success = writes.map((write) => {
      const key = this.#keys.encode(write.key);
      if (write.kind === 'delete') return { request_delete_range: { key } };
      if (write.lease !== undefined && !isLeaseId(write.lease)) {
        throw new Error(`put ${write.key}: lease ${write.lease} is unknown`);
      }
      const value = Buffer.from(write.value);
      return { request_put: { key, value, lease: write.lease ?? '0' } };
    });
    return {
      compare: guards.map(({ key, modRevision }) => ({
        key: this.#keys.encode(key),
        target: CompareTarget.Mod,
        result: CompareResult.Equal,
        mod_revision: String(modRevision),
      })),
      success: success.length > 0 ? success : [read],
      failure: [read],
    };
  }

  /** For calls that do no harm when they happen twice. */
  async #repeat<T>(what: string, call: () => Promise<T>): Promise<T> {
    const deadlineMs = performance.now() + REPEAT_MS_MAX;
    for (;;) {
      this.#assertOpen();
      try {
        return await call();
      } catch (error) {
        if (isFinal(error) || performance.now() > deadlineMs) throw callError(what, error);
      }
      await sleep(REPEAT_EVERY_MS);
    }
  }

  #assertOpen(): void {
    if (this.#phase === 'closed') throw new Error('the store is closed');
  }
}

function isLeaseId(lease: LeaseId): boolean {
  return /^[1-9]\d{0,18}$/.test(lease);
}
