import type { AppliedReport, Health, PlaneSnapshot } from '../../agent/plane/plane.ts';
import type { Position } from '../../proto/gen/b8s/v1/plan.ts';
import type { HttpAnswer } from '../../runtime/http.ts';
import type { LogFields } from '../../runtime/log.ts';
import type { KeyValue, Revision, Transaction } from '../../runtime/store/store.ts';
import type { Published } from '../load/content.ts';
import type { Credentials } from '../load/members.ts';
import type { ApiOperation } from './store/api-history.ts';
import type { StoreEvent } from './store-event.ts';

/** A commit that took effect. */
export interface Commit {
  readonly revision: Revision;
  readonly transaction: Transaction;
  /** By key of the transaction's writes: what was there before; undefined: nothing. */
  readonly before: ReadonlyMap<string, KeyValue | undefined>;
  /** The process that sent it: "dom-1#2". Leases that end delete keys without a commit. */
  readonly process: string;
}

/** A frame as it is put on the wire, before any fault befalls it. */
export interface SentFrame {
  readonly node: string;
  /** Of the Node whose certificate opened the link: of one name there may have been several. */
  readonly nodeUid: string;
  readonly from: 'sub' | 'dom';
  /** The process of dom at the other end. */
  readonly dom: string;
  readonly bytes: Uint8Array;
}

/** A try of a node to reach a process on another host, whatever becomes of it. */
export interface Call {
  /** The node, and its process: "london#2". */
  readonly from: string;
  readonly process: string;
  /** The other host. */
  readonly to: string;
  /** "session", or "blobs" and of which digest. */
  readonly service: string;
  readonly digest?: string;
}

/** A question to a nameserver, and what came back. */
export interface DnsExchange {
  readonly nameserver: string;
  /**
   * What is asked for: "blog.example.test", and the type's number (RFC 1035 §3.2.2); empty and 0:
   * the query is not what it should be.
   */
  readonly name: string;
  readonly type: number;
  /** The client's address. */
  readonly client: string;
  readonly transport: 'udp' | 'tcp';
  readonly query: Uint8Array;
  /** Undefined: nothing. */
  readonly reply: Uint8Array | undefined;
}

/** A request to a node, and what came back. */
export interface HttpExchange {
  readonly node: string;
  readonly host: string;
  readonly path: string;
  readonly answer: HttpAnswer;
  /** The nameserver that named the node; undefined: asked without being named. */
  readonly namedBy: string | undefined;
}

/** A request with a password, or with none, for what may ask for one. */
export interface MemberExchange extends HttpExchange {
  readonly credentials: Credentials | undefined;
}

export interface LoggedLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: LogFields;
}

/** Where a node stands, after a step that changed it. */
export interface NodePosition {
  readonly node: string;
  readonly which: 'held' | 'applied';
  readonly position: Position;
}

/**
 * `key`: of a certificate for these names; `zone key`: what a Zone is signed with; `token`: the half
 * of a join token that is not its id; `cookie secret`: what server cookies are made with;
 * `account key`: of an account at a CA; `mac key`: of one that exists elsewhere; `password`: of who
 * may see what a Site guards.
 */
export type Secret =
  | { readonly kind: 'key'; readonly pem: string; readonly names: readonly string[] }
  | { readonly kind: 'zone key'; readonly pem: string; readonly zoneUid: string }
  | { readonly kind: 'account key'; readonly pem: string }
  | { readonly kind: 'token' | 'mac key' | 'password'; readonly text: string }
  | { readonly kind: 'seal key' | 'cookie secret'; readonly bytes: Uint8Array };

/** An order that a CA has taken, as soon as it has. */
export interface PlacedOrder {
  /** Of the CA. */
  readonly directory: string;
  readonly url: string;
  /** Sorted. */
  readonly names: readonly string[];
  /** Whether dom heard of it. */
  readonly answer: 'answered' | 'lost';
}

/** What a process of dom asks a CA. */
export interface CaRequest {
  /** Of the CA. */
  readonly directory: string;
  /** "dom-1#2". */
  readonly process: string;
  /** A method of the port, such as "createOrder". */
  readonly step: string;
  /** The same for the same request of the same account, and for no other. */
  readonly key: string;
  /** URL; undefined: it is asked without one. */
  readonly account: string | undefined;
  /** How far the wall clock of whoever asks is ahead of the true time by now, in milliseconds. */
  readonly aheadMs: number;
}

/** What a CA said no with. */
export interface CaRefusal {
  readonly type: string;
  readonly detail: string;
  readonly status: number;
  readonly retryAfterMs: number | undefined;
}

/** What a node serves from now on. It holds private keys: nothing of it is to be printed whole. */
export interface AppliedSnapshot {
  readonly node: string;
  readonly snapshot: PlaneSnapshot;
  readonly report: AppliedReport;
}

/** A nameserver has looked whether an edge serves. */
export interface ProbedEdge {
  readonly nameserver: string;
  readonly node: string;
  readonly outcome: 'answered' | 'silent';
}

/**
 * One thing that must hold, watched while a world runs. Each method is called when what it is named
 * for has happened; a check implements those that it needs, keeps what it must remember, and calls
 * `violated` with the invariant's number and what it saw.
 *
 * Caveat: a check must not change the world, nor draw from its randomness.
 */
export interface Check {
  committed?(commit: Commit): void;
  /** Something else in the store, or between it and the processes. */
  stored?(event: StoreEvent): void;
  sent?(frame: SentFrame): void;
  called?(call: Call): void;
  asked?(exchange: DnsExchange): void;
  requested?(exchange: HttpExchange): void;
  /** As `requested`, for what elaborate sites have besides. */
  knocked?(exchange: MemberExchange): void;
  /** As `requested`, at a host of a preview. */
  previewed?(exchange: HttpExchange): void;
  moved?(position: NodePosition): void;
  /** A node's data plane has taken a snapshot over. */
  applied?(applied: AppliedSnapshot): void;
  probed?(edge: ProbedEdge): void;
  /** What a nameserver thinks of the edges has changed. */
  judged?(nameserver: string, health: Health): void;
  /** Who drained a node was told that it can be stopped; from `taken back` on it is used again. */
  drained?(node: string, what: 'can be stopped' | 'taken back'): void;
  /** A person has made a release of a site, and is about to upload it. */
  published?(site: string, release: Published): void;
  /** A person was told that dom has a blob, or that it has it now, and had asked at that time. */
  assured?(digest: string, askedMs: number): void;
  /** A process has removed a file from the disk of its host. */
  removed?(host: string, path: string): void;
  /** Something that must not be seen is in the world from now on. */
  confided?(secret: Secret): void;
  ordered?(order: PlacedOrder): void;
  /** A CA is asked, whether or not that ever arrives. */
  askedCa?(request: CaRequest): void;
  /** And has said no. */
  refusedByCa?(request: CaRequest, refusal: CaRefusal): void;
  /** Whoever has to clean up after the object of that uid is done, and lets it go. */
  letGo?(uid: string): void;
  /** Somebody's call of the API that dom has taken on, as far as it is known how it ended. */
  operated?(operation: ApiOperation): void;
  /** A token has bought a certificate. */
  redeemed?(token: string): void;
  /** A machine is set up from nothing and joins, perhaps under a name that was there before. */
  installed?(node: string): void;
  /** What the production code says: by the host's name, at `debug` to `error`. */
  logged?(host: string, line: LoggedLine): void;
  /** Each text that goes into the trace, log lines among them. */
  traced?(text: string): void;
  /**
   * In this step something came to what runs on the node, or it began, ended, stood still or went on.
   * What is seen of its process has not changed otherwise.
   */
  touched?(node: string): void;
  /** After each step of the world: must be cheap. */
  stepped?(): void;
  /** All is as wished, and lasts: from now until `rested` nothing may change. */
  settled?(): void | Promise<void>;
  /** At the fixed point: nothing has been written for a while, and all is as wished. */
  rested?(): void | Promise<void>;
  /** Some worlds go on at rest until all is over that is kept for a while, in case of need. */
  lingered?(): void | Promise<void>;
  /**
   * The store is put back to what it was earlier, and its revisions begin anew. Who does not mind
   * says so by having this; the others are told nothing more.
   */
  storeReplaced?(): void;
}

/** What a check is made of: how it says that something is wrong, or that a rare path was reached. */
export interface CheckPorts {
  /** `number` as in the list of invariants. */
  readonly violated: (number: number, what: string) => void;
  /** See `sometimes.ts`. */
  readonly reached: (path: string) => void;
  /** Virtual milliseconds since the start. */
  readonly nowMs: () => number;
}
