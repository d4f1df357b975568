import type { Resource } from '../../api/object.ts';
import {
  type ExplainQuestion,
  type ExplainReply,
  type Heartbeat,
  type Hello,
  type PeerOffer,
  type Report,
  SessionRequest,
  SessionResponse,
} from '../../proto/gen/b8s/v1/agent.ts';
import type { LogQuestion } from '../../proto/gen/b8s/v1/logs.ts';
import type { Position } from '../../proto/gen/b8s/v1/plan.ts';
import { type Capability, knownCapabilities } from '../../runtime/capabilities.ts';
import { PEER_KEY_BYTES } from '../../runtime/content/peer-url.ts';
import { describeError } from '../../runtime/control/control-loop.ts';
import { type Link, LinkClosedError } from '../../runtime/session/link.ts';
import type { InSlot } from '../../runtime/slots.ts';
import { objectKey, recordKey } from '../../runtime/store/keys.ts';
import { decodeObject } from '../../runtime/store/mirror.ts';
import type { Identity } from '../../runtime/tls/authority.ts';
import { gaugeDnsLimited } from './dns-limited.ts';
import { type Feed, HEARTBEAT_INTERVAL_MS } from './feed.ts';
import { heardTraffic } from './heard-traffic.ts';
import { LogCalls, type LogListener } from './log-calls.ts';
import type { GatewayPorts } from './ports.ts';
import { Presence } from './presence.ts';
import { busy, Questions } from './questions.ts';
import { ReportWriter } from './report-writer.ts';

/** Silence after which a session counts as lost. */
export const SILENCE_MS_MAX = 3 * HEARTBEAT_INTERVAL_MS;
/** How long a node whose session was lost may take to come back before it counts as gone. */
export const RETURN_GRACE_MS = 3_000;
const HELLO_TIMEOUT_MS = 10_000;
/** No cluster has so many terms: a node that says so lies, and an epoch has 64 bits on the wire. */
const EPOCHS_AHEAD_MAX = 1_000_000n;
type NodeIdentity = Extract<Identity, { kind: 'node' }>;

/** What a session needs of the hub that holds it. */
export interface SessionHub {
  /** The feed of what this node sees by now; the session is told whenever it moves on. */
  subscribe(session: Session, held: Position | undefined): Feed;
  /** This node's session from now on; an earlier one of the same node is ended. */
  enter(session: Session): void;
  /** Makes plans of the world as it is now. */
  refresh(): void;
  /** A task that writes a report. */
  readonly inReportSlot: InSlot;
}

/**
 * One node's session: hello in, plans out, reports in. A node is live while its session record is
 * in the store, under a lease that each heartbeat renews.
 */
export class Session {
  readonly node: string;
  readonly #link: Link;
  readonly #identity: NodeIdentity;
  readonly #ports: GatewayPorts;
  readonly #hub: SessionHub;
  readonly #over = new AbortController();
  readonly #presence: Presence;
  readonly #reports: ReportWriter;
  readonly #questions: Questions;
  /** What its sub can do that older ones cannot. */
  #capabilities: readonly Capability[] = [];
  readonly #logs = new LogCalls();
  #feed: Feed | undefined;
  /** What the node holds, once it has read all that was sent. */
  #sent: { readonly position: Position; readonly digest: string } | undefined;
  #sending: 'open' | 'blocked' = 'open';
  #heardMs: number;
  #peerOffer: PeerOffer | undefined;
  #logKeeping: 'kept' | 'older' = 'older';

  constructor(link: Link, identity: NodeIdentity, ports: GatewayPorts, hub: SessionHub) {
    this.node = identity.name;
    this.#link = link;
    this.#identity = identity;
    this.#ports = ports;
    this.#hub = hub;
    const { inReportSlot: inSlot } = hub;
    this.#presence = new Presence(identity, ports);
    this.#reports = new ReportWriter({ node: identity, ports, inSlot, signal: this.#over.signal });
    this.#questions = new Questions(identity.name, ports.clock);
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
      this.#logs.end();
      await Promise.allSettled([reading, watching]);
    }
  }

  /** How other nodes fetch from this one; undefined: they cannot. */
  get peerOffer(): PeerOffer | undefined {
    return this.#peerOffer;
  }

  get capabilities(): readonly Capability[] {
    return this.#capabilities;
  }

  close(why: string): void {
    this.#link.close(new LinkClosedError('lost', why));
    this.#over.abort(new LinkClosedError('lost', why));
  }

  /** Says that the node is gone. To be called once it had time to come back, and did not. */
  async forget(): Promise<void> {
    await this.#presence.forget();
  }

  /** Ends the session of a node that is gone or is another one by now (INV-36). */
  check(): void {
    if (this.#feed === undefined) return;
    const error = this.#refusalOf(this.#ports.mirror.get('Node', { name: this.node }));
    if (error === undefined) return;
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
    const from = this.#feed;
    this.#feed = feed;
    const isHeld = this.#sent !== undefined && samePosition(this.#sent.position, feed.position);
    if (feed !== from || !isHeld) this.#sendPlan(feed, from);
  }

  /** Asks the node. Throws UNAVAILABLE when it does not answer in time. */
  async ask(question: Omit<ExplainQuestion, 'id'>): Promise<ExplainReply> {
    if (this.#sending === 'blocked') throw busy(this.node);
    const send = (value: ExplainQuestion): void => this.#send({ $case: 'explainQuestion', value });
    return this.#questions.ask(question, send, this.#over.signal);
  }

  get logs(): 'kept' | 'older' {
    return this.#logKeeping;
  }

  /** Reads an access log of the node. Throws UNAVAILABLE when it is busy. */
  openLog(question: Omit<LogQuestion, 'id'>, listener: LogListener): () => void {
    if (this.#sending === 'blocked') throw busy(this.node);
    return this.#logs.open(question, listener, {
      ask: (value) => this.#send({ $case: 'logQuestion', value }),
      stop: (id) => this.#send({ $case: 'logStop', value: { id } }),
    });
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
        return this.#beat(message.value);
      case 'report':
        void this.#keep(message.value);
        return;
      case 'explainReply':
        return this.#questions.answer(message.value);
      case 'logReply':
        return this.#logs.answer(message.value);
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
    // By the store, not by the mirror, which may be behind (INV-36)…
    this.#refuseUnless(declared === undefined ? undefined : decodeObject(declared));
    // …or slower than a node that has just joined.
    if (declared !== undefined) await mirror.reached(declared.modRevision, this.#over.signal);
    if (hello.held !== undefined) await this.#riseAbove(hello.held);
    this.#over.signal.throwIfAborted();
    this.#capabilities = knownCapabilities(hello.capabilities);
    this.#logKeeping = hello.capabilities.includes('logs') ? 'kept' : 'older';
    this.#hub.enter(this);
    await this.#presence.register(hello, registered?.modRevision ?? 0n, this.#over.signal);
    // That took a while: by now the name may be another Node's, with plans of its own.
    this.#refuseUnless(mirror.get('Node', { name: this.node }));
    this.#peerOffer = usableOffer(hello.peerOffer);
    this.#sent =
      hello.held === undefined ? undefined : { position: hello.held, digest: hello.heldDigest };
    this.#feed = this.#hub.subscribe(this, hello.held);
    // Ahead of what may take long, so that the node knows that it need only wait.
    this.#send({ $case: 'heartbeat', value: { sequence: 0n } });
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
    const isAhead = held.revision > mirror.revision;
    if (held.epoch < epoch && isAhead) return this.#tellOfBackup(held);
    if (held.epoch <= epoch && !isAhead) return;
    await leadership.raiseAbove(held.epoch);
    this.#hub.refresh();
  }

  /** Dom's term is later by itself, so what it says is heard; but not without a word (INV-17). */
  #tellOfBackup({ epoch, revision }: Position): void {
    const { log, mirror } = this.#ports;
    log.warn(
      { node: this.node, held: `${epoch}.${revision}`, store: String(mirror.revision) },
      'a node holds a later plan than the store knows: was a backup restored?',
    );
  }

  /** `from`: what it was told of until now; with other roles it sees another view, too. */
  #sendPlan(feed: Feed, from = feed): void {
    const frame = from === feed ? feed.frame(this.#sent) : feed.crossing(from, this.#sent);
    this.#sent = { position: feed.position, digest: feed.digest };
    this.#transmit(frame);
  }

  #beat({ sequence, dnsLimited, traffic, load }: Heartbeat): void {
    gaugeDnsLimited(this.#ports.metrics, this.node, dnsLimited);
    this.#ports.traffic.heard(this.node, heardTraffic(traffic));
    this.#ports.traffic.loaded(this.node, load);
    // A node that does not read gets no answers to pile up.
    if (this.#sending === 'open') this.#send({ $case: 'heartbeat', value: { sequence } });
    this.#renew();
  }

  #renew(): void {
    void this.#presence.renew().then(
      (state) => {
        // It must say hello again to count as there.
        if (state === 'expired') this.close('its lease had ended');
      },
      () => undefined,
    );
  }

  async #keep(report: Report): Promise<void> {
    try {
      await this.#reports.keep(report);
    } catch (error) {
      const fields = { node: this.node, error: describeError(error) };
      this.#ports.log.warn(fields, 'a report was not kept');
      this.close('its report could not be kept');
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

  #refuseUnless(node: Resource | undefined): void {
    const refusal = this.#refusalOf(node);
    if (refusal !== undefined) throw refusal;
  }

  /** `node`: who has the name by now. Undefined: still the one that the certificate is of. */
  #refusalOf(node: Resource | undefined): LinkClosedError | undefined {
    if (node?.metadata.uid === this.#identity.uid) return undefined;
    const why =
      node === undefined
        ? `node ${this.node} is not declared any more: join again with a new token`
        : `this certificate is of an earlier node ${this.node}: join again with a new token`;
    return new LinkClosedError('refused', why);
  }
}

/** SHA-256 has as many bytes as a key. */
function usableOffer(offer: PeerOffer | undefined): PeerOffer | undefined {
  if (offer?.fingerprint.length !== PEER_KEY_BYTES) return undefined;
  return offer.key.length === PEER_KEY_BYTES ? offer : undefined;
}

function samePosition(a: Position, b: Position): boolean {
  return a.epoch === b.epoch && a.revision === b.revision;
}
