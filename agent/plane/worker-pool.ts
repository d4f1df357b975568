import type { Clock } from '../../runtime/clock.ts';
import { backoffMs } from '../../runtime/control/backoff.ts';
import type { Log } from '../../runtime/log.ts';
import type { Random } from '../../runtime/random.ts';
import type { WorkerHandle, Workers } from '../../runtime/workers.ts';
import { type DnsLimitCounters, sumOfLimits } from '../dns/limit/limit.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import type { AppliedReport, WorkerKind, WorkerState } from './plane.ts';

export type PlaneWorkers = Workers<WorkerKind, ToWorker, FromWorker>;
export type PlaneWorkerHandle = WorkerHandle<ToWorker, FromWorker>;

export const PING_INTERVAL_MS = 1000;
/** Pings in a row without a word back, before a worker counts as hung: five seconds. */
export const PINGS_UNANSWERED_MAX = 5;
/** The same for one that has not said a word yet: it may still be loading its code. */
export const PINGS_UNANSWERED_AT_START_MAX = 15;
/** A worker that lived this long did not fail "again". */
export const STABLE_MS = 60_000;
/** From the second failure in a row on; after the first one the worker is back at once. */
export const RESTART_BACKOFF = { baseMs: 250, capMs: 15_000 };
/** How long workers may take to end once told to. */
export const CLOSE_MS_MAX = 25_000;

export interface WorkerPoolParts {
  readonly workers: PlaneWorkers;
  readonly counts: Readonly<Record<WorkerKind, number>>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** What a worker that starts is told first; undefined: nothing is known yet. */
  readonly greeting: (kind: WorkerKind) => ToWorker | undefined;
  /** Whatever a worker says that is not the pool's business. */
  readonly onMessage?: (message: FromWorker, worker: PlaneWorkerHandle) => void;
  readonly onExit?: (worker: PlaneWorkerHandle) => void;
}

/**
 * Keeps workers running: one that ends, or does not answer pings, is replaced while the others go
 * on. Guarantees: a message to all is posted in one turn; a worker that starts is greeted first.
 */
export interface WorkerPool {
  /** To every live worker of that kind. */
  broadcast(kind: WorkerKind, message: ToWorker): void;
  /** Resolves once each worker has acknowledged `sequence` or a newer one, or is not live. */
  settled(sequence: number): Promise<void>;
  /** What live workers of that kind said last; those that said nothing yet are left out. */
  reports(kind: WorkerKind): readonly AppliedReport[];
  /** Some live worker of that kind that serves. */
  anyOf(kind: WorkerKind): PlaneWorkerHandle | undefined;
  state(): readonly WorkerState[];
  close(): Promise<void>;
}

interface Slot {
  readonly kind: WorkerKind;
  readonly index: number;
  /** Undefined: it waits to be started again. */
  worker: PlaneWorkerHandle | undefined;
  sequence: number;
  report: AppliedReport | undefined;
  restarts: number;
  failuresInRow: number;
  startedMs: number;
  pingsUnanswered: number;
  hasSpoken: boolean;
  connections: number | undefined;
  /** What it said last of its limits… */
  limited: DnsLimitCounters | undefined;
  /** …and what those before it had said, in all. */
  limitedBefore: DnsLimitCounters | undefined;
}

export function createWorkerPool(parts: WorkerPoolParts): WorkerPool {
  const { workers, counts, clock, random, log, greeting } = parts;
  const closing = new AbortController();
  const slots = [...newSlots('edge', counts.edge), ...newSlots('dns', counts.dns)];
  let changed = Promise.withResolvers<void>();

  function start(slot: Slot): void {
    const worker = workers.spawn(slot.kind, slot.index);
    Object.assign(slot, freshSlot(worker, clock.monotonicMs()));
    worker.onMessage((message) => {
      if (slot.worker === worker) hear(slot, worker, message);
    });
    worker.onExit((reason) => {
      if (slot.worker === worker) ended(slot, worker, reason);
    });
    const first = greeting(slot.kind);
    if (first !== undefined) worker.post(first);
  }

  function hear(slot: Slot, worker: PlaneWorkerHandle, message: FromWorker): void {
    slot.pingsUnanswered = 0;
    slot.hasSpoken = true;
    if (message.kind === 'pong' && message.limited !== undefined) slot.limited = message.limited;
    if (message.kind === 'pong') slot.connections = message.connections;
    if (message.kind === 'log') log[message.level](message.fields, message.message);
    if (message.kind === 'applied') {
      slot.sequence = message.sequence;
      slot.report = message.report;
      signal();
    }
    parts.onMessage?.(message, worker);
  }

  function ended(slot: Slot, worker: PlaneWorkerHandle, reason: string): void {
    Object.assign(slot, { worker: undefined, sequence: -1, report: undefined });
    slot.limitedBefore = sumOfLimits(slot.limitedBefore, slot.limited);
    slot.limited = undefined;
    parts.onExit?.(worker);
    if (!closing.signal.aborted) {
      const isStable = clock.monotonicMs() - slot.startedMs >= STABLE_MS;
      slot.failuresInRow = isStable ? 1 : slot.failuresInRow + 1;
      slot.restarts += 1;
      const { kind, index, failuresInRow } = slot;
      log.error({ kind, index, failuresInRow, reason }, 'a worker ended and is started again');
      // The first time at once: a node without an edge is worse than one wasted start.
      if (failuresInRow === 1) start(slot);
      else void startLater(slot);
    }
    signal();
  }

  async function startLater(slot: Slot): Promise<void> {
    const pauseMs = backoffMs(slot.failuresInRow - 1, RESTART_BACKOFF, random);
    await clock.sleep(pauseMs, closing.signal).catch(() => undefined);
    if (!closing.signal.aborted) start(slot);
  }

  function signal(): void {
    changed.resolve();
    changed = Promise.withResolvers();
  }

  for (const slot of slots) start(slot);
  void watch(slots, clock, closing.signal);
  const live = (kind: WorkerKind): readonly Slot[] =>
    slots.filter((slot) => slot.kind === kind && slot.worker !== undefined);

  return {
    broadcast(kind, message) {
      for (const slot of live(kind)) slot.worker?.post(message);
    },
    async settled(sequence) {
      const isBehind = (slot: Slot): boolean =>
        slot.worker !== undefined && slot.sequence < sequence;
      while (slots.some(isBehind)) await changed.promise;
    },
    reports: (kind) => live(kind).flatMap(({ report }) => (report === undefined ? [] : [report])),
    anyOf: (kind) => live(kind).find(({ sequence }) => sequence >= 0)?.worker,
    state: () => slots.map(stateOf),
    async close() {
      closing.abort();
      for (const slot of slots) slot.worker?.post({ kind: 'close' });
      const allEnded = new AbortController();
      const late = clock.sleep(CLOSE_MS_MAX, allEnded.signal).then(
        () => slots.forEach((slot) => slot.worker?.terminate()),
        () => undefined,
      );
      while (slots.some(({ worker }) => worker !== undefined)) await changed.promise;
      allEnded.abort();
      await late;
    },
  };
}

/** Counts rounds, not time: after a pause of the whole process nobody has missed more than one. */
async function watch(slots: readonly Slot[], clock: Clock, signal: AbortSignal): Promise<void> {
  for (;;) {
    await clock.sleep(PING_INTERVAL_MS, signal).catch(() => undefined);
    if (signal.aborted) return;
    for (const slot of slots) {
      const most = slot.hasSpoken ? PINGS_UNANSWERED_MAX : PINGS_UNANSWERED_AT_START_MAX;
      slot.pingsUnanswered += 1;
      if (slot.pingsUnanswered > most) slot.worker?.terminate();
      else slot.worker?.post({ kind: 'ping' });
    }
  }
}

function newSlots(kind: WorkerKind, count: number): readonly Slot[] {
  return Array.from({ length: count }, (_, index) => ({
    kind,
    index,
    restarts: 0,
    failuresInRow: 0,
    limitedBefore: undefined,
    ...freshSlot(undefined, 0),
  }));
}

function freshSlot(
  worker: PlaneWorkerHandle | undefined,
  startedMs: number,
): Omit<Slot, 'kind' | 'index' | 'restarts' | 'failuresInRow' | 'limitedBefore'> {
  return {
    worker,
    sequence: -1,
    report: undefined,
    startedMs,
    pingsUnanswered: 0,
    hasSpoken: false,
    connections: undefined,
    limited: undefined,
  };
}

function stateOf({ kind, index, worker, sequence, restarts, ...slot }: Slot): WorkerState {
  const phase = worker === undefined ? 'waiting' : 'live';
  const limited = sumOfLimits(slot.limitedBefore, slot.limited);
  const { connections } = slot;
  return {
    ...{ kind, index, phase, sequence, restarts, ...(limited && { limited }) },
    ...(connections !== undefined && { connections }),
  };
}
