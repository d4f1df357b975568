import type { Resource } from '../api/object.ts';
import type { DnsExplanation } from '../proto/gen/b8s/v1/agent.ts';
import type {
  Clash,
  NodeTrafficRates,
  SiteTrafficRates,
  Violation,
} from '../proto/gen/b8s/v1/api.ts';

/** What went wrong, in the words that `Error from server (…)` shows. */
export type ApiErrorReason =
  | 'Invalid'
  | 'NotFound'
  | 'AlreadyExists'
  | 'Conflict'
  | 'Aborted'
  | 'Expired'
  | 'Unauthorized'
  | 'Forbidden'
  | 'TooManyRequests'
  | 'Timeout'
  | 'Unavailable'
  | 'Cancelled'
  | 'InternalError';

/** What dom, or the way to it, answered instead of a result. */
export class ApiError extends Error {
  readonly reason: ApiErrorReason;
  /** With `Invalid`: which fields are wrong. */
  readonly violations: readonly Violation[];
  /** With `Conflict`: which fields other managers own. */
  readonly clashes: readonly Clash[];

  constructor(
    reason: ApiErrorReason,
    message: string,
    details: {
      readonly violations?: readonly Violation[];
      readonly clashes?: readonly Clash[];
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, { cause: details.cause });
    this.name = 'ApiError';
    this.reason = reason;
    this.violations = details.violations ?? [];
    this.clashes = details.clashes ?? [];
  }
}

export interface ObjectReference {
  readonly kind: string;
  /** Empty for cluster-scoped kinds. */
  readonly namespace: string;
  readonly name: string;
}

/** An object as a person writes it; dom adds uid, revision and the rest. */
export interface DeclaredObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: unknown;
}

export interface ApplyOptions {
  /** Who owns the fields from now on: "b8sctl". */
  readonly manager: string;
  /** Take fields over from other managers instead of answering `Conflict`. */
  readonly forceConflicts?: boolean;
  /** Decide and validate, write nothing. */
  readonly dryRun?: boolean;
  /** Only of this very version, else `Aborted`; "0": only if there is no such object. */
  readonly resourceVersion?: string;
  /** With `dryRun`: hosts that count as free, for what comes before gives them up. */
  readonly freedHosts?: readonly string[];
}

export interface Applied {
  readonly outcome: 'created' | 'configured' | 'unchanged';
  readonly object: Resource;
  /** The object before; absent when it was created. */
  readonly previous?: Resource;
  readonly warnings: readonly string[];
  /** Of a Secret the names of the values that are others now; absent: none are. */
  readonly changedValues?: readonly string[];
}

export interface ForecastQuery {
  readonly namespace: string;
  readonly name: string;
  /** A branch, or a commit by its 40 hex digits; empty: what the Repository follows. */
  readonly ref: string;
  /** As after `b8sctl reconcile --force`, and `--confirm-prune`. */
  readonly force: boolean;
  readonly confirmPrune: boolean;
}

/** What dom would do for a commit of a Repository. */
export interface RepositoryForecast {
  readonly commit: string;
  readonly subject: string;
  readonly author: string;
  /** Empty: none is in force. */
  readonly appliedCommit: string;
  /** Of what the commit changes; another one once that is something else. Empty: nothing is done. */
  readonly digest: string;
  readonly repository: Resource;
  /** Why nothing is done of it, or, if it `passes`, not yet. */
  readonly holds: readonly {
    readonly reason: string;
    readonly message: string;
    readonly passes: boolean;
  }[];
  /** In the order in which they would be made. */
  readonly changes: readonly ForecastChange[];
}

export interface ForecastChange {
  readonly reference: ObjectReference;
  /** "create", "update", "keep", "delete", "let go", "hand over", "put back". */
  readonly action: string;
  /** For a person; may be empty. */
  readonly why: string;
  /** Where it is declared; empty for what is removed. */
  readonly file: string;
  /** 0: of no line. */
  readonly line: number;
  readonly before?: Resource;
  readonly after?: Resource;
  readonly changedValues: readonly string[];
}

/** PEM; the key is nowhere else. */
export interface CreatedUser {
  readonly certificate: string;
  readonly key: string;
  readonly expiresMs: number;
}

/** A person or program that may call dom, or might before it was revoked. */
export interface ListedUser {
  readonly name: string;
  /** That are good still, the oldest first. */
  readonly certificates: readonly {
    /** Hex. */
    readonly serial: string;
    readonly role: string;
    readonly createdBy: string;
    readonly createdMs: number;
    readonly expiresMs: number;
  }[];
  /** When what there was until then was taken back; absent: never. */
  readonly revoked?: { readonly atMs: number; readonly by: string };
}

/**
 * A point in the past: a revision of the store, or a time. What was declared is known of each; the
 * statuses only of revisions that are not compacted yet.
 */
export type Moment = { readonly revision: bigint } | { readonly timeMs: number };

export interface ListOptions {
  readonly kind: string;
  /** Empty: all namespaces. */
  readonly namespace: string;
  /** "app=blog,tier!=test" */
  readonly labelSelector?: string;
  /** Absent: now. */
  readonly at?: Moment;
  /** How many objects are asked for at once. Absent: what is good; dom may send fewer. */
  readonly pageObjects?: number;
}

export interface Listed {
  readonly objects: readonly Resource[];
  /** Of the whole store, when the list was read: watch on from here. */
  readonly revision: bigint;
}

export interface WatchOptions {
  readonly kind: string;
  readonly namespace: string;
  readonly labelSelector?: string;
  /** Absent: every name. */
  readonly name?: string;
  /** Absent: begin with every object that there is, as `added`, and then `synced`. */
  readonly afterRevision?: bigint;
}

export type WatchEvent =
  | { readonly type: 'added' | 'modified' | 'deleted'; readonly object: Resource }
  | { readonly type: 'synced' };

export interface HistoryEntry {
  readonly generation: number;
  readonly revision: bigint;
  readonly timeMs: number;
  readonly manager: string;
  readonly user: string;
  readonly command: string;
  readonly uid: string;
  readonly change: 'created' | 'configured' | 'deleted';
  readonly spec: unknown;
  /** As they were then; an older dom has not kept them. */
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface CreatedToken {
  readonly token: string;
  /** "sha256:<64 hex digits>" of the CA certificate's DER. */
  readonly caHash: string;
  readonly expiresMs: number;
  /** Where subs dial, "host:port", the preferred one first. */
  readonly addresses: readonly string[];
}

export interface TokenInfo {
  readonly id: string;
  /** Empty: good for any new node. */
  readonly node: string;
  readonly expiresMs: number;
  readonly createdBy: string;
}

/** A key of secondaries, without its secret. */
export interface TransferKeyInfo {
  readonly name: string;
  readonly algorithm: string;
  readonly createdBy: string;
  readonly createdMs: number;
}

export interface ServerInfo {
  readonly version: string;
  readonly store: string;
  readonly epoch: bigint;
  readonly revision: bigint;
  readonly timeMs: number;
  /** Who asked, as dom knows them; an older dom does not say, nor what follows. */
  readonly user: string;
  readonly role: string;
  /** "read", "write". */
  readonly permissions: readonly string[];
}

export interface LogQuery {
  /** Of the Site. */
  readonly namespace: string;
  readonly name: string;
  /** The newest so many lines of all nodes together. */
  readonly linesMax: number;
  /** None that are older than so long; 0: of any age. */
  readonly ageMsMax: number;
  readonly follow: boolean;
  /** Empty: of all that are connected. */
  readonly node: string;
}

export interface LogPiece {
  readonly lines: readonly { readonly node: string; readonly line: string }[];
  /** So many more came, and are left out. */
  readonly dropped: number;
  /** For a person: a node that says nothing, and why. */
  readonly notes: readonly string[];
}

/** What edges have answered lately. */
export interface TrafficSummary {
  readonly sites: readonly SiteTrafficRates[];
  readonly nodes: readonly NodeTrafficRates[];
  /** Seconds over which it was gathered. */
  readonly gatheredS: number;
}

export interface MissingBlob {
  readonly digest: string;
  /** From its first byte on, left by an upload that was cut: these need not be sent again. */
  readonly heldBytes: number;
}

export interface Blob {
  /** "sha256-<64 hex digits>" */
  readonly digest: string;
  /** Of the whole blob. */
  readonly sizeBytes: number;
  /** Of the first byte of `chunks`. Left out: 0. */
  readonly offsetBytes?: number;
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Whether its bytes are worth the try. */
  readonly compression: 'try' | 'none';
}

/**
 * What b8sctl asks of dom, as a port: the RPCs of `b8s.v1.ApiService` with objects decoded.
 *
 * Guarantees: `list` returns every page, read at one revision; `watch` yields changes in order,
 * without gaps, and ends only by an error or its signal.
 * Assumptions: one connection, opened at the first call and kept until `close`.
 * Caveats: an answer that got lost looks like a failure; every call may be made again.
 * Errors: always `ApiError`.
 */
export interface Api {
  apply(object: DeclaredObject, options: ApplyOptions): Promise<Applied>;
  /** Replaces spec, labels and annotations; `Aborted` when the resourceVersion is not the latest. */
  update(object: Resource, options: { readonly manager: string }): Promise<Resource>;
  get(reference: ObjectReference, at?: Moment): Promise<Resource>;
  list(options: ListOptions): Promise<Listed>;
  watch(options: WatchOptions, signal: AbortSignal): AsyncIterable<WatchEvent>;
  /** With a `uid`, only this very object; `finalizing`: it lives on until its finalizers ran. */
  delete(
    reference: ObjectReference,
    options?: {
      readonly uid?: string;
      /** Only of this very version, else `Aborted`. */
      readonly resourceVersion?: string;
      readonly dryRun?: boolean;
    },
  ): Promise<{ readonly object: Resource; readonly finalizing: boolean }>;
  /** Oldest first. */
  history(reference: ObjectReference): Promise<readonly HistoryEntry[]>;
  /** Those of `digests` that dom does not hold. */
  findMissingBlobs(digests: readonly string[]): Promise<readonly MissingBlob[]>;
  /**
   * One after the other, in one stream; all are stored when it resolves. `sizeBytes`: about how much
   * it will be, left out: little. `Aborted`: dom has something else than it said, or takes it in
   * another way: to be asked anew.
   */
  uploadBlobs(
    blobs: AsyncIterable<Blob>,
    signal: AbortSignal,
    expected?: { readonly sizeBytes: number },
  ): Promise<void>;
  /** `node` empty: for any new one; `ttlS` 0: the default. */
  createToken(request: { readonly node: string; readonly ttlS: number }): Promise<CreatedToken>;
  listTokens(): Promise<readonly TokenInfo[]>;
  revokeToken(id: string): Promise<void>;
  /** Resolves to the secret that was made; `secret` empty: make one, else nothing comes back. */
  createTransferKey(request: {
    readonly name: string;
    readonly algorithm: string;
    readonly secret: Uint8Array;
  }): Promise<Uint8Array>;
  listTransferKeys(): Promise<readonly TransferKeyInfo[]>;
  deleteTransferKey(name: string): Promise<void>;
  explainDns(question: {
    readonly name: string;
    readonly type: string;
    readonly clientIp: string;
    readonly server: string;
  }): Promise<DnsExplanation>;
  /** Lines of the access log of a Site, in order; with `follow` it ends only by its signal. */
  readLogs(query: LogQuery, signal: AbortSignal): AsyncIterable<LogPiece>;
  /** What was answered in the last minute or so; `node` empty: by all together. */
  traffic(node: string): Promise<TrafficSummary>;
  /** What dom would do for a commit of a Repository; nothing is written. */
  forecast(query: ForecastQuery, signal: AbortSignal): Promise<RepositoryForecast>;
  /** `role`: "viewer" or "admin"; `days` 0: the default. */
  createUser(request: {
    readonly name: string;
    readonly role: string;
    readonly days: number;
  }): Promise<CreatedUser>;
  /** Sorted by name. */
  listUsers(): Promise<readonly ListedUser[]>;
  /** `unlisted`: also a name that `listUsers` does not know. */
  revokeUser(name: string, options?: { readonly unlisted?: boolean }): Promise<void>;
  serverInfo(): Promise<ServerInfo>;
  close(): void;
}
