import type { Digest } from '../../runtime/content/digest.ts';
import type { LogFields } from '../../runtime/log.ts';
import type { TrafficCount } from '../../runtime/traffic/site-traffic.ts';
import type { ExplainOutcome } from '../dns/explain.ts';
import type { DnsLimitCounters } from '../dns/limit/limit.ts';
import type { ZoneOutcome } from '../dns/zone/zone.ts';
import type { SiteLines } from '../edge/access-log/recorder.ts';
import type { EdgeSnapshot } from '../edge/snapshot.ts';
import type { ListChanges } from './list-changes.ts';
import type { AppliedReport, DnsPlaneSnapshot, Health, PlaneQuestion } from './plane.ts';
import type { ZoneChanges } from './zone-changes.ts';

/** A geography database, compiled to a table in memory that all threads share. */
export interface GeoBytes {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

/** The part of a snapshot that one kind of worker needs. */
export type WorkerSnapshot =
  | { readonly kind: 'edge'; readonly edge: EdgeSnapshot }
  | {
      readonly kind: 'dns';
      readonly dns: DnsPlaneSnapshot;
      readonly databases: readonly GeoBytes[];
      /** On its way to a thread: what to do to the zones of the message before. */
      readonly zoneChanges?: ZoneChanges;
    };

export type ToWorker =
  | { readonly kind: 'apply'; readonly sequence: number; readonly snapshot: WorkerSnapshot }
  | { readonly kind: 'health'; readonly health: Health }
  /** What TLS session tickets are made and taken with from now on. */
  | { readonly kind: 'tickets'; readonly keys: Uint8Array }
  | { readonly kind: 'explain'; readonly id: number; readonly question: PlaneQuestion }
  | { readonly kind: 'ping' }
  /** So many characters of the lines that it handed over are written down, or given up. */
  | { readonly kind: 'taken'; readonly length: number }
  /** Finish what is in flight, then end. */
  | { readonly kind: 'close' }
  /** For tests: fail as a bug would, or stop answering. */
  | { readonly kind: 'crash' | 'hang' };

export type FromWorker =
  | {
      readonly kind: 'applied';
      readonly sequence: number;
      readonly report: AppliedReport;
      /** On its way from a thread: what to do to the zones of the report before. */
      readonly zoneChanges?: ListChanges<ZoneOutcome>;
    }
  | { readonly kind: 'explained'; readonly id: number; readonly outcome: ExplainOutcome }
  /**
   * `limited`: of a nameserver that limits its answers, since the worker started; `traffic`: of an
   * edge, since its last one.
   */
  | {
      readonly kind: 'pong';
      readonly limited?: DnsLimitCounters;
      readonly traffic?: readonly TrafficCount[];
      /** Of an edge: open connections of clients. */
      readonly connections?: number;
    }
  /** What an edge has noted of requests. */
  | { readonly kind: 'lines'; readonly lines: readonly SiteLines[] }
  /** A blob could not be read as what its name says. */
  | { readonly kind: 'damaged'; readonly blob: Digest }
  | {
      readonly kind: 'log';
      readonly level: 'debug' | 'info' | 'warn' | 'error';
      readonly fields: LogFields;
      readonly message: string;
    };
