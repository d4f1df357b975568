import type { Clock } from '../../runtime/clock.ts';
import type { Digest } from '../../runtime/content/digest.ts';
import type { Disk } from '../../runtime/disk/disk.ts';
import type { Log } from '../../runtime/log.ts';
import type { Random } from '../../runtime/random.ts';
import { takeTurns } from '../../runtime/turns.ts';
import type { ExplainOutcome } from '../dns/explain.ts';
import { lengthOf, type SiteLines } from '../edge/access-log/recorder.ts';
import { TrafficSums } from '../edge/traffic.ts';
import type { CompileGeo } from './geo-compiler.ts';
import { createGeoStore, type ReadShared } from './geo-store.ts';
import { reportMerger } from './merge-reports.ts';
import type { FromWorker, GeoBytes, ToWorker } from './messages.ts';
import {
  type AppliedReport,
  type DataPlane,
  NOTHING_APPLIED,
  type PlaneSnapshot,
  type WorkerKind,
  type WriteLines,
} from './plane.ts';
import { TICKET_KEYS_MS, type TicketKeys } from './ticket-keys.ts';
import { NOT_A_NAMESERVER } from './worker.ts';
import { createWorkerPool, type PlaneWorkerHandle, type PlaneWorkers } from './worker-pool.ts';
import { growReports, shrinkMessages } from './zone-changes.ts';

export interface ThreadedPlaneParts {
  readonly workers: PlaneWorkers;
  /** How many of each kind; 0 on a node without that role. */
  readonly counts: Readonly<Record<WorkerKind, number>>;
  readonly disk: Pick<Disk, 'list' | 'remove'>;
  readonly readShared: ReadShared;
  readonly compileGeo: CompileGeo;
  /** Those that workers are spawned with, renewed from time to time; left out: they never are. */
  readonly tickets?: TicketKeys;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** What all workers have been told, and every new one is. */
interface Held {
  readonly snapshot: PlaneSnapshot;
  readonly databases: readonly GeoBytes[];
  readonly problems: readonly string[];
}

/** Questions that wait for a worker; more are refused. */
const QUESTIONS_MAX = 64;

interface Asked {
  readonly worker: PlaneWorkerHandle;
  readonly settle: (outcome: ExplainOutcome) => void;
}

/** A data plane of workers, watched over by a pool. */
export function createThreadedPlane(parts: ThreadedPlaneParts): DataPlane {
  let onDamaged: (blob: Digest) => void = () => undefined;
  let write: WriteLines = async () => undefined;
  const closing = new AbortController();
  const geo = createGeoStore({
    disk: parts.disk,
    read: parts.readShared,
    compile: (digest) => parts.compileGeo(digest, closing.signal),
    onDamaged: (blob) => onDamaged(blob),
    onReady: () => void inTurn(refresh).catch(reportRefresh),
  });
  const inTurn = takeTurns();
  const asked = new Map<number, Asked>();
  const traffic = new TrafficSums();
  const merge = reportMerger();
  let held: Held | undefined;
  let newestSequence = -1;
  let questionId = 0;

  const pool = createWorkerPool({
    ...parts,
    workers: { spawn: (kind, index) => shrinking(parts.workers.spawn(kind, index)) },
    greeting: (kind) => (held === undefined ? undefined : applyMessage(kind, held)),
    onMessage: (message, worker) => {
      settleQuestion(message);
      if (message.kind === 'lines') void writeLines(message.lines, worker);
      if (message.kind === 'damaged') onDamaged(message.blob);
      if (message.kind === 'pong') traffic.add(message.traffic ?? []);
    },
    onExit: (worker) => {
      for (const [id, question] of asked) {
        if (question.worker === worker)
          settleQuestion({ kind: 'explained', id, outcome: WORKER_LOST });
      }
    },
  });

  async function writeLines(lines: readonly SiteLines[], worker: PlaneWorkerHandle): Promise<void> {
    await write(lines);
    worker.post({ kind: 'taken', length: lengthOf(lines) });
  }

  function settleQuestion(message: FromWorker): void {
    if (message.kind !== 'explained') return;
    asked.get(message.id)?.settle(message.outcome);
    asked.delete(message.id);
  }

  async function hand(snapshot: PlaneSnapshot): Promise<void> {
    // Overtaken, or the one that every worker has already.
    if (snapshot.sequence < newestSequence || snapshot.sequence === held?.snapshot.sequence) return;
    const { databases, problems } = await geo.load(snapshot.dns.databases);
    held = { snapshot, databases, problems };
    for (const kind of ['edge', 'dns'] as const) pool.broadcast(kind, applyMessage(kind, held));
  }

  /** A table is ready that was not when the snapshot came. */
  async function refresh(): Promise<void> {
    if (held === undefined) return;
    const { databases, problems } = await geo.load(held.snapshot.dns.databases);
    held = { ...held, databases, problems };
    pool.broadcast('dns', applyMessage('dns', held));
  }

  function reportRefresh(error: unknown): void {
    parts.log.error({ error: String(error) }, 'the new geography could not be handed over');
  }

  function report(): AppliedReport {
    if (held === undefined) return NOTHING_APPLIED;
    const merged = merge(held.snapshot, pool.reports('edge'), pool.reports('dns'));
    return { ...merged, problems: [...held.problems, ...merged.problems] };
  }

  async function renewTickets(tickets: TicketKeys): Promise<void> {
    for (;;) {
      await parts.clock.sleep(TICKET_KEYS_MS, closing.signal);
      tickets.renew();
      const message: ToWorker = { kind: 'tickets', keys: tickets.current() };
      for (const kind of ['edge', 'dns'] as const) pool.broadcast(kind, message);
    }
  }

  // Only closing ends it.
  if (parts.tickets !== undefined) void renewTickets(parts.tickets).catch(() => undefined);
  return {
    async apply(snapshot) {
      const { sequence } = snapshot;
      if (sequence < newestSequence) {
        throw new RangeError(`apply snapshot ${sequence}: ${newestSequence} is newer`);
      }
      newestSequence = sequence;
      await inTurn(() => hand(snapshot));
      await pool.settled(sequence);
      return report();
    },
    setHealth(health) {
      if (held === undefined) return;
      const { snapshot } = held;
      held = { ...held, snapshot: { ...snapshot, dns: { ...snapshot.dns, health } } };
      pool.broadcast('dns', { kind: 'health', health });
    },
    explain(question) {
      const worker = pool.anyOf('dns');
      if (worker === undefined) return Promise.resolve(NOT_A_NAMESERVER);
      if (asked.size >= QUESTIONS_MAX) return Promise.resolve(TOO_MANY_QUESTIONS);
      return new Promise((settle) => {
        questionId += 1;
        asked.set(questionId, { worker, settle });
        worker.post({ kind: 'explain', id: questionId, question });
      });
    },
    state: () => pool.state(),
    takeTraffic: () => traffic.take(),
    onDamaged: (listener) => {
      onDamaged = listener;
    },
    onLines: (writer) => {
      write = writer;
    },
    close: () => {
      closing.abort();
      return pool.close();
    },
  };
}

const WORKER_LOST: ExplainOutcome = {
  kind: 'refused',
  error: 'the worker that was asked has ended; ask again',
};

const TOO_MANY_QUESTIONS: ExplainOutcome = {
  kind: 'refused',
  error: `more than ${QUESTIONS_MAX} questions at once; ask again`,
};

function shrinking(worker: PlaneWorkerHandle): PlaneWorkerHandle {
  const shrink = shrinkMessages();
  return {
    ...worker,
    post: (message) => worker.post(shrink(message)),
    onMessage: (listener) => {
      const grow = growReports();
      worker.onMessage((message) => listener(grow(message)));
    },
  };
}

function applyMessage(kind: WorkerKind, { snapshot, databases }: Held): ToWorker {
  const { sequence, edge, dns } = snapshot;
  return kind === 'edge'
    ? { kind: 'apply', sequence, snapshot: { kind, edge } }
    : { kind: 'apply', sequence, snapshot: { kind, dns, databases } };
}
