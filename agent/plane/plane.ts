import type { NodePlan, ZonePlan } from '../../proto/gen/b8s/v1/plan.ts';
import type { Digest } from '../../runtime/content/digest.ts';
import type { TrafficCount } from '../../runtime/traffic/site-traffic.ts';
import type { ExplainOutcome } from '../dns/explain.ts';
import type { HostIdentity } from '../dns/host-identities.ts';
import type { DnsLimitCounters } from '../dns/limit/limit.ts';
import type { ZoneOutcome } from '../dns/zone/zone.ts';
import type { SiteLines } from '../edge/access-log/recorder.ts';
import type { SiteState } from '../edge/edge.ts';
import type { EdgeSnapshot } from '../edge/snapshot.ts';

/** All that nameservers answer from, as plain data. */
export interface DnsPlaneSnapshot {
  readonly zones: readonly ZonePlan[];
  /** The directory that geo names are routed by. */
  readonly nodes: readonly NodePlan[];
  /** Geography databases, verified blobs on disk; looked up in this order. */
  readonly databases: readonly Digest[];
  /** What this node's own probes say, by node name; a node left out counts as reachable. */
  readonly health: Health;
  /** Of server cookies, the one in use first; left out: none are given. */
  readonly cookieSecrets?: readonly Uint8Array[];
  /** Certificates of this nameserver's names, for DNS over TLS; left out: none. */
  readonly identities?: readonly HostIdentity[];
}

export type Health = Readonly<Record<string, boolean>>;

/** All that a node serves, whole: plain data that can be posted to a thread. */
export interface PlaneSnapshot {
  /** Grows with each snapshot of this process. */
  readonly sequence: number;
  readonly dns: DnsPlaneSnapshot;
  readonly edge: EdgeSnapshot;
}

/** What is served after a snapshot was applied: by every live worker, not only by one. */
export interface AppliedReport {
  /** In the snapshot's order; empty on a node that is no edge. */
  readonly sites: readonly SiteState[];
  /** In the snapshot's order; empty on a node that is no nameserver. */
  readonly zones: readonly ZoneOutcome[];
  /** The geography databases in use. */
  readonly databases: readonly Digest[];
  /** Tokens of the proofs that CAs can see here; empty on a node that is no edge. */
  readonly challenges: readonly string[];
  /** What went wrong beyond single sites and zones, for a person. */
  readonly problems: readonly string[];
}

export interface PlaneQuestion {
  readonly name: string;
  /** "A" or "AAAA". */
  readonly type: string;
  readonly clientIp: string;
}

export type WorkerKind = 'dns' | 'edge';

export interface WorkerState {
  readonly kind: WorkerKind;
  readonly index: number;
  /** `waiting`: it has failed repeatedly and starts again after a pause. */
  readonly phase: 'live' | 'waiting';
  /** Of the snapshot that it serves; -1: none yet. */
  readonly sequence: number;
  readonly restarts: number;
  /** Of a nameserver that limits its answers: since the plane started, restarts counted over. */
  readonly limited?: DnsLimitCounters;
  /** Of an edge that lives: open connections of clients. */
  readonly connections?: number;
}

/**
 * What answers the public, as a port: worker threads in production, plain calls in simulation.
 *
 * Guarantees
 * - A snapshot is handed to all workers in one turn, takes effect whole in each, and is never
 *   followed by an older one. What is broken in it (a zone, a release, a certificate) stays as it
 *   was, and the rest takes effect.
 * - It serves on while `apply` runs, while a worker is replaced, and while nobody talks to it.
 *
 * Errors: `apply` throws a `RangeError` for a sequence below the newest one. The newest one again
 * tells what is served by now.
 */
export interface DataPlane {
  /** Resolves once every live worker serves this snapshot, or a newer one. */
  apply(snapshot: PlaneSnapshot): Promise<AppliedReport>;
  /** Replaces the snapshot's health alone: cheap enough for every change. */
  setHealth(health: Health): void;
  /** What this nameserver would answer, and why. */
  explain(question: PlaneQuestion): Promise<ExplainOutcome>;
  state(): readonly WorkerState[];
  /** What edges have answered since this was last asked; late by a second at most. */
  takeTraffic(): readonly TrafficCount[];
  /** From now on `listener` is told of blobs that could not be read as what their names say. */
  onDamaged(listener: (blob: Digest) => void): void;
  /**
   * From now on `write` takes what edges note of requests; until it resolves, they hold a bounded
   * amount more, and drop what comes then. It must not reject.
   */
  onLines(write: WriteLines): void;
  /** Lets what is in flight finish, within a bound. */
  close(): Promise<void>;
}

export type WriteLines = (lines: readonly SiteLines[]) => Promise<void>;

/** The report of a plane that serves nothing. */
export const NOTHING_APPLIED: AppliedReport = {
  ...{ sites: [], zones: [], databases: [], challenges: [], problems: [] },
};
