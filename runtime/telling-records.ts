/** What is known of tries that fail; absent members: the last one did not. */
export interface TryRecord {
  /** In a row. */
  readonly failures: number;
  /** When it is tried again, by the wall clock. */
  readonly nextMs: number;
  /** For a person; no secrets. */
  readonly error: string;
  /** What was tried with, and may have been mended since: the generation and the Secret's version. */
  readonly key: string;
}

/** How far a Notification has told. */
export interface NotificationRecord {
  /** `namespace/name` of the Notification. */
  readonly name: string;
  /** Of the Notification that it was told for: another filter fits other Events. */
  readonly generation: number;
  /** Events up to this revision of the store were told of, or did not fit. */
  readonly position: string;
  /** Events after it that were told of all the same, for they are counted on: their names. */
  readonly told: readonly string[];
  readonly sent: number;
  readonly lastSentMs?: number;
  /** The request for a test (`b8s.dev/test-requested`) that was answered. */
  readonly test?: string;
  readonly trouble?: TryRecord;
}

/** What the Git host of a Repository was told. */
export interface CommitStatusRecord {
  /** `namespace/name` of the Repository. */
  readonly name: string;
  /** The last few commits, the newest last. */
  readonly told: readonly ToldCommit[];
  /** `sinceMs`: when that state of that commit was first not taken. */
  readonly trouble?: TryRecord & {
    readonly commit: string;
    readonly state: CommitState;
    readonly sinceMs: number;
  };
}

export interface ToldCommit {
  readonly commit: string;
  readonly state: CommitState;
  readonly description: string;
  /** `given up`: it was tried for too long. */
  readonly how: 'told' | 'given up';
}

/** `superseded`: another commit took its place before it was Ready. */
export type CommitState = 'pending' | 'success' | 'failure' | 'superseded';
