import type { RevisionChanges } from '../../../runtime/store/change-log.ts';
import type {
  CommitOutcome,
  KeyValue,
  LeaseId,
  Page,
  Revision,
  Transaction,
} from '../../../runtime/store/store.ts';

/** What the store asks its worker thread, and what it answers. All of it is plain data. */
export interface Calls {
  readonly get: { readonly ask: { readonly key: string }; readonly answer: KeyValue | undefined };
  readonly list: { readonly ask: ListAsk; readonly answer: Page };
  readonly history: { readonly ask: HistoryAsk; readonly answer: HistoryPage };
  readonly commit: { readonly ask: Transaction; readonly answer: CommitOutcome };
  readonly grantLease: { readonly ask: { readonly ttlMs: number }; readonly answer: LeaseId };
  readonly renewLease: { readonly ask: LeaseAsk; readonly answer: 'renewed' | 'expired' };
  readonly revokeLease: { readonly ask: LeaseAsk; readonly answer: undefined };
  readonly compact: { readonly ask: { readonly revision: Revision }; readonly answer: undefined };
  readonly stats: { readonly ask: undefined; readonly answer: SqliteStats };
  readonly close: { readonly ask: undefined; readonly answer: undefined };
}

export interface ListAsk {
  readonly prefix: string;
  /** Empty: from the first key. */
  readonly afterKey: string;
  readonly limit: number;
  readonly revision: Revision | undefined;
}

export interface HistoryAsk {
  readonly prefix: string;
  readonly afterRevision: Revision;
}

export interface LeaseAsk {
  readonly lease: LeaseId;
}

/** A stretch of the past: all of it up to and including `through`. */
export type HistoryPage =
  | {
      readonly kind: 'changes';
      readonly revisions: readonly RevisionChanges[];
      readonly through: Revision;
    }
  | { readonly kind: 'expired'; readonly compactRevision: Revision };

/** Counted since the store was opened. */
export interface SqliteStats {
  /** Each cost one fsync, however many commits waited for it. */
  readonly transactions: number;
  readonly commits: number;
}

export type CallKind = keyof Calls;

export type Request = {
  readonly [Kind in CallKind]: {
    readonly id: number;
    readonly kind: Kind;
    readonly ask: Calls[Kind]['ask'];
  };
}[CallKind];

export type Message =
  | { readonly kind: 'opened'; readonly head: Revision }
  | { readonly kind: 'refused'; readonly failure: Failure }
  /** Revisions that have just become durable; sent before the answers to their commits. */
  | { readonly kind: 'changes'; readonly revisions: readonly RevisionChanges[] }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly failure: Failure };

/** An error on its way between threads, which do not keep its class. */
export interface Failure {
  readonly name: 'CompactedError' | 'UncertainError' | 'RangeError' | 'Error';
  readonly message: string;
}

/** What the worker thread is started with. */
export interface WorkerOptions {
  readonly file: string;
}
