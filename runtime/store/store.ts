/** A store's revision: one counter for the whole store; 0n is "before anything" or "absent". */
export type Revision = bigint;

export interface KeyValue {
  readonly key: string;
  /** Always JSON in b8s; at most VALUE_BYTES_MAX when encoded as UTF-8. */
  readonly value: string;
  readonly createRevision: Revision;
  /** The revision that last changed this key. */
  readonly modRevision: Revision;
}

/** The key's `modRevision` must be this one; 0n: the key must be absent. */
export interface Guard {
  readonly key: string;
  readonly modRevision: Revision;
}

export type Write =
  | { readonly kind: 'put'; readonly key: string; readonly value: string; readonly lease?: LeaseId }
  | { readonly kind: 'delete'; readonly key: string };

/** All guards hold and all writes happen at one new revision, or nothing happens. */
export interface Transaction {
  /** At most TRANSACTION_GUARDS_MAX. */
  readonly guards: readonly Guard[];
  /** At most TRANSACTION_WRITES_MAX, each key at most once. */
  readonly writes: readonly Write[];
}

export type CommitOutcome =
  | { readonly outcome: 'committed'; readonly revision: Revision }
  | { readonly outcome: 'conflict'; readonly revision: Revision };

export interface ListOptions {
  /** Read as of this revision; left out: the newest. */
  readonly revision?: Revision;
  /** At most LIST_LIMIT_MAX, which is also the default. */
  readonly limit?: number;
  /** Only keys strictly greater than this one: the next page. */
  readonly afterKey?: string;
}

export interface Page {
  /** Sorted by key, bytewise; fewer than asked for where the answer would be too large. */
  readonly items: readonly KeyValue[];
  /** The revision that was read; ask for the next page at this one. */
  readonly revision: Revision;
  readonly more: boolean;
}

export type Change =
  | { readonly kind: 'put'; readonly item: KeyValue }
  | { readonly kind: 'delete'; readonly key: string; readonly modRevision: Revision };

export type WatchEvent =
  /** All changes under the prefix of one revision, together, sorted by key. */
  | { readonly kind: 'changes'; readonly revision: Revision; readonly changes: readonly Change[] }
  /** Nothing up to and including this revision is still to come. */
  | { readonly kind: 'progress'; readonly revision: Revision }
  /** The revisions after the start have been compacted away: list again. Always the last event. */
  | { readonly kind: 'expired'; readonly compactRevision: Revision };

export type LeaseId = string;

export const VALUE_BYTES_MAX = 1024 * 1024;
export const TRANSACTION_WRITES_MAX = 100;
/** More than etcd's default of 128 operations would be refused there. */
export const TRANSACTION_GUARDS_MAX = 128;
/** All keys and values of one transaction together, as UTF-8. */
export const TRANSACTION_BYTES_MAX = 4 * 1024 * 1024;
export const LIST_LIMIT_MAX = 1000;

/** Thrown by a read at a revision that has been compacted away. */
export class CompactedError extends Error {
  override readonly name = 'CompactedError';
}

/** Thrown when the outcome of a commit is unknown (the answer was lost): read before retrying. */
export class UncertainError extends Error {
  override readonly name = 'UncertainError';
}

/**
 * Where desired state lives: SQLite on one machine, etcd on several, memory in simulation.
 * Modelled on etcd v3's KV, Watch and Lease.
 *
 * Guarantees
 * - `commit` is atomic, linearizable and durable once it resolves. A commit without writes, or one
 *   in conflict, creates no revision. A delete of an absent key creates no revision by itself.
 * - Revisions only grow, also across restarts. Nothing happens at 1n.
 * - `get` and `list` are linearizable unless a revision is given.
 * - `watch` yields every change after `afterRevision` once, in order, one event a revision, with no
 *   gap; it survives reconnects inside the adapter; it yields `progress` from time to time.
 * - A key written with a lease goes away when the lease ends, by a delete like any other. After a
 *   restart of the store each lease has its whole time to live again.
 *
 * Caveats: `watch` may lag behind `get`.
 * Errors: `CompactedError`, `UncertainError`, a `RangeError` for input over a limit or a revision
 * that is still to come, otherwise an operating failure that a caller may retry (a put with a
 * lease that has ended is one: nothing was written).
 */
export interface Store {
  get(key: string): Promise<KeyValue | undefined>;
  list(prefix: string, options?: ListOptions): Promise<Page>;
  commit(transaction: Transaction): Promise<CommitOutcome>;
  /** Ends, without error, when `signal` is aborted, or after `expired`. */
  watch(
    prefix: string,
    options: { readonly afterRevision: Revision; readonly signal: AbortSignal },
  ): AsyncIterable<WatchEvent>;
  grantLease(ttlMs: number): Promise<LeaseId>;
  /** Starts the time to live anew. */
  renewLease(lease: LeaseId): Promise<'renewed' | 'expired'>;
  /** Ends the lease now and deletes its keys. */
  revokeLease(lease: LeaseId): Promise<void>;
  /** Forgets what was superseded at or before `revision`; watches that still need it expire. */
  compact(revision: Revision): Promise<void>;
  close(): Promise<void>;
}
