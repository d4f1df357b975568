import {
  type ExplainQuestion,
  type ExplainReply,
  type Hello,
  type Report,
  SessionRequest,
  SessionResponse,
} from '../../proto/gen/b8s/v1/agent.ts';
import type { Position } from '../../proto/gen/b8s/v1/plan.ts';
import type { Identity } from '../../runtime/authority.ts';
import { describeError } from '../../runtime/control-loop.ts';
import { CONFLICT_RECHECK_MS } from '../../runtime/controller.ts';
import { objectKey, recordKey } from '../../runtime/keys.ts';
import { type Link, LinkClosedError } from '../../runtime/link.ts';
import { RequestError } from '../../runtime/request-error.ts';
import type { LeaseId, Revision } from '../../runtime/store.ts';
import type { Author, WriteOutcome } from '../../runtime/writer.ts';
import { type Feed, HEARTBEAT_INTERVAL_MS } from './feed.ts';
import type { Hub, HubPorts } from './hub.ts';
import { reportRecord } from './report.ts';

/** Silence after which a session counts as lost. */
export const SILENCE_MS_MAX = 3 * HEARTBEAT_INTERVAL_MS;
/** How long a node whose session was lost may take to come back before it counts as gone. */
export const RETURN_GRACE_MS = 3_000;
/**
 * The lease on a session's record. While dom lives it ends leases by itself, much sooner; this one
 * is for its absence: long enough for the next leader to begin and for all nodes to dial it, so
 * that a change of leader makes no node look gone (INV-24).
 */
export const NODE_LEASE_MS = 30_000;
const RENEW_EVERY_MS = NODE_LEASE_MS / 3;
const HELLO_TIMEOUT_MS = 10_000;
const EXPLAIN_TIMEOUT_MS = 5_000;
/** A stuck node shall not make dom remember questions without bound. */
const QUESTIONS_MAX = 64;
/** Reports that lost a race are written anew this often before the session is given up. */
const REPORT_CONFLICTS_MAX = 5;
/** No cluster has so many terms: a node that says so lies, and an epoch has 64 bits on the wire. */
const EPOCHS_AHEAD_MAX = 1_000_000n;
/** What a node calls its version is kept and shown, so it has a bound. */
const AGENT_VERSION_MAX = 64;

type NodeIdentity = Extract<Identity, { kind: 'node' }>;

/**
 * One node's session: hello in, plans out, reports in. A node is live while its session record is
 * in the store, under a lease that each heartbeat renews.
 */
export class Session {
  readonly node: string;
  applied: Position | undefined;
  readonly #link: Link;
  readonly #identity: NodeIdentity;
  readonly #ports: HubPorts;
  readonly #hub: Hub;
  readonly #author: Author;
  readonly #questions = new Map<bigint, (reply: ExplainReply) => void>();
  readonly #over = new AbortController();
  #feed: Feed | undefined;
  /** What the node holds, once it has read all that was sent. */
  #sent: { readonly position: Position; readonly digest: string } | undefined;
  #sending: 'open' | 'blocked' = 'open';
  #lease: LeaseId | undefined;
  #heardMs: number;
  #renewedMs = 0;
  #report: Report | undefined;
  #reporting: 'idle' | 'writing' = 'idle';
  #nextQuestion = 1n;

  constructor(link: Link, identity: NodeIdentity, ports: HubPorts, hub: Hub) {
    this.node = identity.name;
    this.#link = link;
    this.#identity = identity;
    this.#ports = ports;
    this.#hub = hub;
    this.#author = { manager: 'node', user: `node:${identity.name}` };
    this.#heardMs = ports.clock.monotonicMs();
  }

  /** Until the link ends. Throws what ended it, if that was not the node's own wish. */
  async run(outer: AbortSignal): Promise<void> {
    const signal = AbortSignal.any([outer, this.#over.signal]);
    const reading = this.#read();
    const watching = this.#watchSilence(signal);
    try {
      await Promise.race([reading, watching]);
    } catch (error) {
      // The node hears why; what was a fault of ours it need not know.
      const told =
        error instanceof LinkClosedError ? error : new LinkClosedError('lost', 'dom failed');
      this.#link.close(told);
      throw error;
    } finally {
      this.#over.abort(new Error('the session is over'));
      this.#link.close();
      await Promise.allSettled([reading, watching]);
    }
  }

  close(why: string): void {
    this.#link.close(new LinkClosedError('lost', why));
    this.#over.abort(new LinkClosedError('lost', why));
  }

  /** Says that the node is gone. To be called once it had time to come back, and did not. */
  async forget(): Promise<void> {
    if (this.#lease !== undefined) await this.#ports.store.revokeLease(this.#lease);
  }

  /** Ends the session of a node that is gone or is another one by now (INV-36). */
  check(): void {
    const node = this.#ports.mirror.get('Node', { name: this.node });
    if (node?.metadata.uid === this.#identity.uid) return;
    if (this.#feed === undefined) return;
    const error = new LinkClosedError('refused', this.#strangerMessage());
    this.#link.close(error);
    this.#over.abort(error);
  }

  /** Sends what the node does not hold yet, unless it is still busy with the last plan. */
  push(): void {
    // This may be long after the world changed: by now the name may be another Node's.
    this.check();
    if (this.#feed === undefined || this.#sending === 'blocked' || this.#over.signal.aborted)
      return;
    const feed = this.#hub.subscribe(this, this.#sent?.position);
    // With other roles the node sees another view, and a delta of that would not fit.
    if (feed !== this.#feed) this.#sent = undefined;
    this.#feed = feed;
    if (this.#sent !== undefined && samePosition(this.#sent.position, feed.position)) return;
    this.#sendPlan(feed);
  }

  /** Asks the node. Rejects when it does not answer in time. */
  async ask(question: Omit<ExplainQuestion, 'id'>): Promise<ExplainReply> {
    if (this.#questions.size >= QUESTIONS_MAX || this.#sending === 'blocked')
      throw new RequestError('UNAVAILABLE', `${this.node} is busy: ask again in a moment`);
    const id = this.#nextQuestion;
    this.#nextQuestion += 1n;
    const done = new AbortController();
    const answered = new Promise<ExplainReply>((resolve) => this.#questions.set(id, resolve));
    const late = this.#ports.clock
      .sleep(EXPLAIN_TIMEOUT_MS, AbortSignal.any([done.signal, this.#over.signal]))
      .catch(() => undefined)
      .then(() => {
        const why = `${this.node} did not answer within ${EXPLAIN_TIMEOUT_MS} ms`;
        throw new RequestError('UNAVAILABLE', why);
      });
    late.catch(() => undefined);
    this.#send({ $case: 'explainQuestion', value: { ...question, id } });
    try {
      return await Promise.race([answered, late]);
    } finally {
      done.abort();
      this.#questions.delete(id);
    }
  }

  async #read(): Promise<void> {
    for await (const frame of this.#link.frames()) {
      this.#heardMs = this.#ports.clock.monotonicMs();
      const { message } = SessionRequest.decode(frame);
      if (this.#feed === undefined) {
        if (message?.$case !== 'hello')
          throw new LinkClosedError('refused', 'a session begins with a hello');
        await this.#begin(message.value);
        continue;
      }
      this.#handle(message);
    }
  }

  #handle(message: SessionRequest['message']): void {
    switch (message?.$case) {
      case 'heartbeat':
        // A node that does not read gets no answers to pile up.
        if (this.#sending === 'open') this.#send({ $case: 'heartbeat', value: message.value });
        return this.#renew();
      case 'report':
        this.applied = message.value.applied;
        this.#report = message.value;
        void this.#writeReports();
        return;
      case 'explainReply':
        this.#questions.get(message.value.id)?.(message.value);
        return;
      case 'hello':
        throw new LinkClosedError('refused', 'a session has one hello');
      case undefined:
        return;
    }
  }

  async #begin(hello: Hello): Promise<void> {
    const { store, mirror, log } = this.#ports;
    if (hello.node !== this.#identity.name)
      throw new LinkClosedError(
        'refused',
        `the certificate is for node ${this.#identity.name}, the hello says ${hello.node}`,
      );
    const [declared, registered] = await Promise.all([
      store.get(objectKey({ kind: 'Node', name: this.node })),
      store.get(recordKey('session', this.node)),
    ]);
    // A node that has just joined may be faster than the mirror.
    if (declared !== undefined) await mirror.reached(declared.modRevision, this.#over.signal);
    const node = mirror.get('Node', { name: this.node });
    if (node?.metadata.uid !== this.#identity.uid)
      throw new LinkClosedError('refused', this.#strangerMessage());
    if (hello.held !== undefined) await this.#riseAbove(hello.held);
    this.#over.signal.throwIfAborted();
    this.#hub.enter(this);
    await this.#register(hello, registered?.modRevision ?? 0n);
    this.#sent =
      hello.held === undefined ? undefined : { position: hello.held, digest: hello.heldDigest };
    this.#feed = this.#hub.subscribe(this, hello.held);
    // Even if it says nothing new: with it the node learns the position.
    this.#sendPlan(this.#feed);
    log.info({ node: this.node, version: hello.agentVersion }, 'session begun');
  }

  /**
   * A node that holds more than the store has seen was told so before a backup was restored; what
   * dom says in the same term it would take for the past (INV-17).
   */
  async #riseAbove(held: Position): Promise<void> {
    const { mirror, leadership } = this.#ports;
    const { epoch } = leadership;
    if (held.epoch > epoch + EPOCHS_AHEAD_MAX)
      throw new LinkClosedError('refused', `its plan is of epoch ${held.epoch}, dom's is ${epoch}`);
    const isAhead = held.epoch === epoch && held.revision > mirror.revision;
    if (held.epoch <= epoch && !isAhead) return;
    await leadership.raiseAbove(held.epoch);
    this.#hub.refresh();
  }

  #sendPlan(feed: Feed): void {
    const frame = feed.frame(this.#sent);
    this.#sent = { position: feed.position, digest: feed.digest };
    this.#transmit(frame);
  }

  /** `modRevision`: of the record as it was before; a later session's is not to be overwritten. */
  async #register(hello: Hello, modRevision: Revision): Promise<void> {
    const { store, writer, clock } = this.#ports;
    this.#lease = await store.grantLease(NODE_LEASE_MS);
    this.#renewedMs = clock.monotonicMs();
    // A newer session of this node may have begun meanwhile: the record is its own by now.
    this.#over.signal.throwIfAborted();
    const value = {
      nodeUid: this.#identity.uid,
      agentVersion: hello.agentVersion.slice(0, AGENT_VERSION_MAX),
      connectedSince: new Date(clock.nowMs()).toISOString(),
    };
    const operation = {
      kind: 'record',
      record: 'session',
      id: this.node,
      value,
      modRevision,
      lease: this.#lease,
    } as const;
    const outcome = await writer.commit([operation], this.#author);
    if (outcome.outcome === 'conflict')
      throw new LinkClosedError('lost', 'another session of this node began, or another dom leads');
    this.#over.signal.throwIfAborted();
  }

  #renew(): void {
    const { store, clock } = this.#ports;
    const nowMs = clock.monotonicMs();
    if (this.#lease === undefined || nowMs - this.#renewedMs < RENEW_EVERY_MS) return;
    this.#renewedMs = nowMs;
    void store.renewLease(this.#lease).then(
      (outcome) => {
        // The node counts as gone by now: it must say hello again to count as there.
        if (outcome === 'expired') this.close('its lease had ended');
      },
      () => undefined,
    );
  }

  /** Level-based: what is written is the latest report, however many came meanwhile. */
  async #writeReports(): Promise<void> {
    if (this.#reporting === 'writing') return;
    this.#reporting = 'writing';
    const { signal } = this.#over;
    const { clock, log, mirror } = this.#ports;
    try {
      for (let conflicts = 0; this.#report !== undefined && !signal.aborted; ) {
        const outcome = await this.#hub.inReportSlot(() => this.#writeReport());
        if (outcome.outcome === 'written') await mirror.reached(outcome.revision, signal);
        if (outcome.outcome !== 'conflict') continue;
        conflicts += 1;
        if (conflicts > REPORT_CONFLICTS_MAX) throw new Error('others write its report');
        await clock.sleep(CONFLICT_RECHECK_MS, signal);
      }
    } catch (error) {
      if (signal.aborted) return;
      log.warn({ node: this.node, error: describeError(error) }, 'a report was not kept');
      this.close('its report could not be kept');
    } finally {
      this.#reporting = 'idle';
    }
  }

  /** Upon the one that the mirror shows: what an ended session wrote late must not win. */
  async #writeReport(): Promise<WriteOutcome> {
    const report = this.#report;
    if (report === undefined || this.#over.signal.aborted) return { outcome: 'unchanged' };
    this.#report = undefined;
    const value = reportRecord(report, this.#identity.uid);
    const before = this.#ports.mirror.record('report', this.node);
    if (JSON.stringify(before?.value) === JSON.stringify(value)) return { outcome: 'unchanged' };
    const operation = {
      kind: 'record',
      record: 'report',
      id: this.node,
      value,
      modRevision: before?.modRevision ?? 0n,
    } as const;
    try {
      const outcome = await this.#ports.writer.commit([operation], this.#author);
      if (outcome.outcome === 'conflict') this.#report ??= report;
      return outcome;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      // It would be so in the next session too: the node is there, and keeps its last report.
      this.#ports.log.error({ node: this.node, error: error.message }, 'a report is too large');
      return { outcome: 'unchanged' };
    }
  }

  async #watchSilence(signal: AbortSignal): Promise<void> {
    const { clock } = this.#ports;
    const deadline = (): number =>
      this.#heardMs + (this.#feed === undefined ? HELLO_TIMEOUT_MS : SILENCE_MS_MAX);
    try {
      for (
        let leftMs = deadline() - clock.monotonicMs();
        leftMs > 0;
        leftMs = deadline() - clock.monotonicMs()
      )
        // The hello may come meanwhile, and with it a nearer deadline.
        await clock.sleep(Math.min(leftMs, SILENCE_MS_MAX), signal);
    } catch (error) {
      if (error instanceof LinkClosedError) throw error;
      return;
    }
    throw new LinkClosedError('lost', `node ${this.node} has been silent for too long`);
  }

  #send(message: SessionResponse['message']): void {
    this.#transmit(SessionResponse.encode({ message }).finish());
  }

  /** Whatever is sent while the node is behind, it is told the newest once it has caught up. */
  #transmit(frame: Uint8Array): void {
    if (this.#link.send(frame) || this.#sending === 'blocked') return;
    this.#sending = 'blocked';
    const { log } = this.#ports;
    void this.#link
      .drained()
      .then(() => {
        this.#sending = 'open';
        this.push();
      })
      .catch((error: unknown) => {
        log.error({ node: this.node, error: describeError(error) }, 'a plan could not be made');
        this.close('dom failed to make its plan');
      });
  }

  #strangerMessage(): string {
    return this.#ports.mirror.get('Node', { name: this.node }) === undefined
      ? `node ${this.node} is not declared any more: join again with a new token`
      : `this certificate is of an earlier node ${this.node}: join again with a new token`;
  }
}

function samePosition(a: Position, b: Position): boolean {
  return a.epoch === b.epoch && a.revision === b.revision;
}
