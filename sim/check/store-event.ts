import type { RevisionChanges } from '../../runtime/store/change-log.ts';
import type {
  CommitOutcome,
  KeyValue,
  ListOptions,
  Page,
  Revision,
  Transaction,
  WatchEvent,
} from '../../runtime/store/store.ts';

/** A read or a write as a process asks for it. The object itself says which call is meant. */
export interface StoreCall {
  readonly process: string;
  readonly request: StoreRequest;
}

export type StoreRequest =
  | { readonly kind: 'get'; readonly key: string }
  | { readonly kind: 'list'; readonly prefix: string; readonly options: ListOptions }
  | { readonly kind: 'commit'; readonly transaction: Transaction };

/** What the process is told. A call that is never answered may have happened, or happen yet. */
export type StoreAnswer =
  | { readonly kind: 'item'; readonly item: KeyValue | undefined }
  | { readonly kind: 'page'; readonly page: Page }
  | { readonly kind: 'outcome'; readonly outcome: CommitOutcome }
  | { readonly kind: 'failed'; readonly error: unknown };

/** A watch as a process opened it, over however many streams. The object itself says which. */
export interface OpenWatch {
  readonly process: string;
  readonly prefix: string;
  readonly afterRevision: Revision;
  /** Aborted: the process wants nothing more of it. */
  readonly signal: AbortSignal;
}

/** What happens in the store, and between it and the processes. */
export type StoreEvent =
  /** A revision has come about: by a commit, or by the end of a lease. */
  | ({ readonly kind: 'revision'; readonly by: 'commit' | 'lease' } & RevisionChanges)
  | { readonly kind: 'compacted'; readonly revision: Revision }
  /** A guard of the transaction failed, as of that revision. */
  | {
      readonly kind: 'refused';
      readonly process: string;
      readonly transaction: Transaction;
      readonly revision: Revision;
    }
  | { readonly kind: 'called'; readonly call: StoreCall }
  | { readonly kind: 'answered'; readonly call: StoreCall; readonly answer: StoreAnswer }
  | { readonly kind: 'watching'; readonly watch: OpenWatch }
  /** A stream broke, and another one goes on after the last revision that was delivered. */
  | { readonly kind: 'resumed'; readonly watch: OpenWatch }
  | { readonly kind: 'delivered'; readonly watch: OpenWatch; readonly event: WatchEvent }
  /** The watch has ended, whoever ended it. */
  | { readonly kind: 'unwatched'; readonly watch: OpenWatch };
