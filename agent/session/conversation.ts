import {
  type DnsLimited,
  type ExplainQuestion,
  type ExplainReply,
  type Hello,
  type NodeLoad,
  type Plan,
  type Report,
  SessionRequest,
  type SessionResponse,
} from '../../proto/gen/b8s/v1/agent.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { type Link, LinkClosedError } from '../../runtime/session/link.ts';
import { decodeResponse } from '../../runtime/session/plan-wire.ts';
import type { TrafficCount } from '../../runtime/traffic/site-traffic.ts';
import type { LogSource } from '../logs/access-logs.ts';
import type { Trigger } from '../trigger.ts';
import { LogStreams } from './log-streams.ts';
import { ToldTraffic } from './told-traffic.ts';

/** What the node has to say to dom, and what it does with what dom says. */
export interface SessionHost {
  hello(): Hello;
  /** Durably takes a plan in. `gap`: it cannot be built upon what is held, so dial again. */
  takePlan(plan: Plan): Promise<'taken' | 'gap'>;
  /** What is so by now. */
  report(): Report;
  /** What the rate limit of this nameserver has done; undefined: it is none, or limits nothing. */
  limited?(): DnsLimited | undefined;
  /** What the edges of this node have answered since it started; left out: it has none. */
  traffic?(): readonly TrafficCount[];
  /** What this process takes of the machine; left out: it does not say. */
  load?(): NodeLoad;
  explain(question: ExplainQuestion): Promise<ExplainReply>;
  /** What its edges note of requests; left out: they note nothing. */
  readonly logs?: LogSource;
}

/** Until a plan says another. */
export const HEARTBEAT_INTERVAL_MS = 2000;
export const HEARTBEAT_INTERVAL_MS_MIN = 50;
export const HEARTBEAT_INTERVAL_MS_MAX = 60_000;
/** Intervals without a word from dom until the link counts as dead. */
export const SILENT_INTERVALS_MAX = 3;

/** Dom is there, yet no plan has come: it may be large, and its way narrow. */
export class PlanOverdueError extends Error {
  override readonly name = 'PlanOverdueError';
}

/**
 * In any time of this length two reports at most: changes come in bursts, and the latest report wins.
 * Two, for what a node has often follows at once on what it was told to.
 */
export const REPORT_INTERVAL_MS = 100;
/** Questions that may be under way; more are left unanswered, which dom notices by its timeout. */
const EXPLAIN_PENDING_MAX = 16;

export interface ConversationOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly host: SessionHost;
  /** Raised when there is something new to report. */
  readonly reportable: Trigger;
  /** So many times as long as usual it waits for the first plan. */
  readonly patience: number;
  readonly signal: AbortSignal;
}

/**
 * Talks over one link until it ends: hello, plans in, heartbeats and reports out.
 *
 * Resolves when `signal` is aborted or dom ended the link cleanly. Throws `LinkClosedError` when
 * the link broke, fell silent or had to be given up, `PlanOverdueError` when it fell silent before
 * the first plan, and whatever `takePlan` throws. The link is closed and nothing is left running in
 * either case.
 */
export async function converse(link: Link, options: ConversationOptions): Promise<void> {
  const over = new AbortController();
  const signal = AbortSignal.any([options.signal, over.signal]);
  const talk = new Conversation(link, { ...options, signal });
  const tasks = [talk.read(), talk.beat(), talk.listen(), talk.tell(), aborted(signal)];
  try {
    await Promise.race(tasks);
  } catch (error) {
    if (!options.signal.aborted) throw error;
  } finally {
    over.abort(new Error('the session is over'));
    link.close();
    await Promise.allSettled(tasks);
  }
}

class Conversation {
  readonly #link: Link;
  readonly #options: ConversationOptions;
  #intervalMs = HEARTBEAT_INTERVAL_MS;
  #lastHeardMs: number;
  /** While a frame is worked on none is read, so silence says nothing about dom. */
  #phase: 'listening' | 'handling' = 'listening';
  /** What dom has said so far: `life`: that it is there. */
  #heard: 'nothing' | 'life' | 'plan' = 'nothing';
  #drained: Promise<void> = Promise.resolve();
  #explaining = 0;
  readonly #traffic = new ToldTraffic();
  readonly #logs: LogStreams | undefined;

  constructor(link: Link, options: ConversationOptions) {
    this.#link = link;
    this.#options = options;
    this.#lastHeardMs = options.clock.monotonicMs();
    const { host, clock, signal } = options;
    this.#logs =
      host.logs &&
      new LogStreams({
        ...{ source: host.logs, clock, signal, ready: () => this.#ready() },
        send: (value) => this.#send({ $case: 'logReply', value }),
      });
    this.#send({ $case: 'hello', value: host.hello() });
    options.reportable.raise();
  }

  /** Takes in what dom says. Ends when the link does. */
  async read(): Promise<void> {
    for await (const frame of this.#link.frames()) {
      // Only now is it known that dom is there and will have us.
      if (this.#heard === 'nothing') this.#options.log.info({}, 'the session with dom is open');
      if (this.#heard === 'nothing') this.#heard = 'life';
      this.#phase = 'handling';
      await this.#handle(decodeResponse(frame));
      this.#lastHeardMs = this.#options.clock.monotonicMs();
      this.#phase = 'listening';
    }
  }

  /** Says at each interval that this node is there. */
  async beat(): Promise<never> {
    const { clock, signal } = this.#options;
    for (let sequence = 1n; ; sequence += 1n) {
      await clock.sleep(this.#intervalMs, signal);
      await this.#ready();
      const dnsLimited = this.#options.host.limited?.();
      const traffic = this.#traffic.news(this.#options.host.traffic?.() ?? []);
      const load = this.#options.host.load?.();
      const value = {
        ...{ sequence, ...(load && { load }) },
        ...{ ...(dnsLimited && { dnsLimited }), ...(traffic && { traffic }) },
      };
      this.#send({ $case: 'heartbeat', value });
    }
  }

  /** Gives the link up once dom has been silent for too long: no event comes on a dead network. */
  async listen(): Promise<never> {
    const { clock, signal } = this.#options;
    for (;;) {
      const isPlanDue = this.#heard === 'life';
      const usualMs = SILENT_INTERVALS_MAX * this.#intervalMs;
      const silentMsMax = isPlanDue ? usualMs * this.#options.patience : usualMs;
      const silentMs = clock.monotonicMs() - this.#lastHeardMs;
      if (this.#phase === 'listening' && silentMs >= silentMsMax) {
        const forMs = Math.round(silentMs);
        if (isPlanDue) throw new PlanOverdueError(`no plan came from dom for ${forMs} ms`);
        throw new LinkClosedError('lost', `dom has been silent for ${forMs} ms`);
      }
      const leftMs = silentMsMax - silentMs;
      // The plan may come meanwhile, and with it a nearer end.
      await clock.sleep(leftMs > 0 ? Math.min(leftMs, usualMs) : this.#intervalMs, signal);
    }
  }

  /**
   * Reports whenever something changed, whole each time, and no faster than dom takes it. What has
   * changed back meanwhile is nothing to report.
   */
  async tell(): Promise<never> {
    const { clock, signal, reportable, host } = this.#options;
    let beforeMs = Number.NEGATIVE_INFINITY;
    for (let told: Uint8Array | undefined; ; ) {
      await reportable.wait(signal);
      await this.#ready();
      const message = { $case: 'report', value: host.report() } as const;
      const bytes = encode(message);
      if (told === undefined || Buffer.compare(told, bytes) !== 0) {
        this.#say(bytes);
        told = bytes;
      }
      const nowMs = clock.monotonicMs();
      const pauseMs = beforeMs + REPORT_INTERVAL_MS - nowMs;
      beforeMs = nowMs;
      if (pauseMs > 0) await clock.sleep(pauseMs, signal);
    }
  }

  async #handle({ message }: SessionResponse): Promise<void> {
    switch (message?.$case) {
      case 'plan':
        return this.#takePlan(message.value);
      case 'explainQuestion':
        return this.#explain(message.value);
      case 'logQuestion':
        return this.#logs?.open(message.value);
      case 'logStop':
        return this.#logs?.stop(message.value.id);
      // A heartbeat has done its work by coming; what a newer dom says besides is not for us.
      case 'heartbeat':
      case undefined:
        return;
    }
  }

  async #takePlan(plan: Plan): Promise<void> {
    this.#heard = 'plan';
    if (plan.heartbeatIntervalMs > 0) this.#intervalMs = bounded(plan.heartbeatIntervalMs);
    const outcome = await this.#options.host.takePlan(plan);
    if (outcome === 'gap') {
      throw new LinkClosedError('lost', 'a plan does not build upon what this node holds');
    }
  }

  /** Answers beside the reading, for a plan must not wait for an answer. */
  #explain(question: ExplainQuestion): void {
    const { host, log, signal } = this.#options;
    if (this.#explaining >= EXPLAIN_PENDING_MAX) {
      log.warn({ name: question.name }, 'too many questions at once; one is left unanswered');
      return;
    }
    this.#explaining += 1;
    void host
      .explain(question)
      .catch(
        (error: unknown): ExplainReply => ({
          id: question.id,
          explanation: undefined,
          error: error instanceof Error ? error.message : String(error),
        }),
      )
      .then(async (reply) => {
        this.#explaining -= 1;
        await this.#ready();
        if (!signal.aborted) this.#send({ $case: 'explainReply', value: reply });
      });
  }

  #send(message: SessionRequest['message']): void {
    this.#say(encode(message));
  }

  #say(frame: Uint8Array): void {
    const accepted = this.#link.send(frame);
    if (!accepted) this.#drained = this.#link.drained();
  }

  /** Resolves when dom takes more. What is to be said is composed after this, so it is fresh. */
  async #ready(): Promise<void> {
    for (let waited: Promise<void> | undefined; waited !== this.#drained; ) {
      waited = this.#drained;
      await waited;
    }
  }
}

function encode(message: SessionRequest['message']): Uint8Array {
  return SessionRequest.encode({ message }).finish();
}

function bounded(intervalMs: number): number {
  return Math.min(Math.max(intervalMs, HEARTBEAT_INTERVAL_MS_MIN), HEARTBEAT_INTERVAL_MS_MAX);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
