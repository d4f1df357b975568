import type { Clock } from '../clock.ts';
import type { ClockLeaps } from '../clock-leaps.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import type { Random } from '../random.ts';
import { type Scope, scopeOf } from '../scope.ts';
import type { Mirror } from '../store/mirror.ts';
import { backoffMs } from './backoff.ts';
import { CONFLICT_BACKOFF, type Controller, type Outcome, TerminalError } from './controller.ts';
import { WorkQueue } from './work-queue.ts';

/** How long one reconcile may take before it counts as failed. */
export const RECONCILE_TIMEOUT_MS = 30_000;
const RETRY = { baseMs: 50, capMs: 60_000 };
/**
 * The longest rest before something is looked at again: what is due in days is due by the wall
 * clock, which goes faster or slower than timers do. Where it leaps, `leaps` tells.
 */
export const RECHECK_MS_MAX = 3600 * 1000;
const CONCURRENCY = 4;
/**
 * After a reconcile its name rests for as many times as long as that took. A thousand reports of
 * one Site then cost a few looks at it, not a thousand, and dom has time for its nodes.
 */
const REST_FACTOR = 4;
const REST_MS_MAX = 250;

export interface ControlLoopPorts {
  readonly mirror: Mirror;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  /** After a leap of the wall clock all that waits for its time is looked at. Left out: within an hour. */
  readonly leaps?: Pick<ClockLeaps, 'subscribe'>;
}

/**
 * Runs one controller until the signal is aborted: queueing, retry with backoff, timeouts, metrics
 * and the log line of each reconcile are here, and nowhere in a controller.
 */
export async function runController(
  controller: Controller,
  ports: ControlLoopPorts,
  signal: AbortSignal,
): Promise<void> {
  const loop = new ControlLoop(controller, ports, signal);
  await loop.run();
}

class ControlLoop {
  readonly #queue = new WorkQueue();
  readonly #failures = new Map<string, number>();
  /** Conflicts in a row, by name. */
  readonly #conflicts = new Map<string, number>();
  /** When each name is to be looked at again; the earliest wins. */
  readonly #rechecks = new Map<string, { readonly atMs: number; readonly scope: Scope }>();
  readonly #controller: Controller;
  readonly #ports: ControlLoopPorts;
  readonly #signal: AbortSignal;

  constructor(controller: Controller, ports: ControlLoopPorts, signal: AbortSignal) {
    this.#controller = controller;
    this.#ports = ports;
    this.#signal = signal;
  }

  async run(): Promise<void> {
    const unsubscribe = this.#ports.mirror.subscribe((changes) => {
      for (const change of changes)
        for (const name of this.#controller.affected(change)) this.#queue.add(name);
    });
    for (const change of this.#ports.mirror.everything())
      for (const name of this.#controller.affected(change)) this.#queue.add(name);
    const hangUp = this.#controller.calls?.((name) => this.#queue.add(name));
    const unwatch = this.#ports.leaps?.subscribe(() => {
      for (const name of this.#rechecks.keys()) this.#queue.add(name);
    });
    const close = (): void => this.#queue.close();
    this.#signal.addEventListener('abort', close, { once: true });
    if (this.#signal.aborted) close();
    const length = this.#controller.concurrency ?? CONCURRENCY;
    await Promise.all(Array.from({ length }, () => this.#work()));
    unwatch?.();
    hangUp?.();
    unsubscribe();
  }

  async #work(): Promise<void> {
    for (;;) {
      const name = await this.#queue.take();
      if (name === undefined) return;
      const tookMs = await this.#reconcile(name);
      this.#rest(name, Math.min(REST_MS_MAX, REST_FACTOR * tookMs));
    }
  }

  /** Until it has rested a name counts as in work, so that what happens meanwhile is not missed. */
  #rest(name: string, ms: number): void {
    if (ms < 1) return this.#queue.done(name);
    void this.#ports.clock.sleep(ms, this.#signal).then(
      () => this.#queue.done(name),
      () => undefined,
    );
  }

  /** Returns how long it took. */
  async #reconcile(name: string): Promise<number> {
    const { clock, metrics, log } = this.#ports;
    const startMs = clock.monotonicMs();
    const result = await this.#attempt(name);
    const tookMs = clock.monotonicMs() - startMs;
    const seconds = tookMs / 1000;
    const labels = { controller: this.#controller.name, outcome: result.word };
    metrics.count('b8s_reconciles_total', labels);
    metrics.observe('b8s_reconcile_seconds', seconds, { controller: this.#controller.name });
    metrics.gauge('b8s_reconcile_last_timestamp_seconds', clock.nowMs() / 1000, {
      controller: this.#controller.name,
    });
    const fields = {
      controller: this.#controller.name,
      object: name,
      outcome: result.word,
      seconds,
    };
    if (result.error === undefined) log.info(fields, 'reconciled');
    else log.warn({ ...fields, error: describeError(result.error) }, 'reconcile failed');
    if (result.recheckInMs !== undefined) this.#recheck(name, result.recheckInMs);
    return tookMs;
  }

  async #attempt(name: string): Promise<{ word: string; recheckInMs?: number; error?: unknown }> {
    const scope = scopeOf(this.#signal);
    try {
      const outcome = await this.#inTime(this.#controller.reconcile(name, scope.signal), scope);
      this.#failures.delete(name);
      if (outcome === 'conflict') return { word: outcome, recheckInMs: this.#conflict(name) };
      this.#conflicts.delete(name);
      return outcome === 'settled' ? { word: 'settled' } : { word: 'recheck', ...outcome };
    } catch (error) {
      if (this.#signal.aborted) return { word: 'stopped' };
      if (error instanceof TerminalError) return { word: 'terminal', error };
      const failures = (this.#failures.get(name) ?? 0) + 1;
      this.#failures.set(name, failures);
      return { word: 'failed', error, recheckInMs: backoffMs(failures, RETRY, this.#ports.random) };
    } finally {
      scope.end();
    }
  }

  /** When to try again. */
  #conflict(name: string): number {
    const conflicts = (this.#conflicts.get(name) ?? 0) + 1;
    this.#conflicts.set(name, conflicts);
    return backoffMs(conflicts, CONFLICT_BACKOFF, this.#ports.random);
  }

  async #inTime(work: Promise<Outcome>, scope: Scope): Promise<Outcome> {
    const late = this.#ports.clock.sleep(RECONCILE_TIMEOUT_MS, scope.signal).then(() => {
      const error = new Error(`reconcile took longer than ${RECONCILE_TIMEOUT_MS} ms`);
      scope.abort(error);
      throw error;
    });
    late.catch(() => undefined);
    return Promise.race([work, late]);
  }

  #recheck(name: string, wantedInMs: number): void {
    const { clock } = this.#ports;
    const inMs = Math.min(wantedInMs, RECHECK_MS_MAX);
    if (inMs <= 0) return this.#queue.add(name);
    const atMs = clock.monotonicMs() + inMs;
    const planned = this.#rechecks.get(name);
    if (planned !== undefined && planned.atMs <= atMs) return;
    planned?.scope.end();
    const scope = scopeOf(this.#signal);
    this.#rechecks.set(name, { atMs, scope });
    void clock.sleep(inMs, scope.signal).then(
      () => {
        scope.end();
        this.#rechecks.delete(name);
        this.#queue.add(name);
      },
      () => undefined,
    );
  }
}

/** An error with its chain of causes, in one line. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `: ${describeError(error.cause)}`;
  return `${error.message}${cause}`;
}
