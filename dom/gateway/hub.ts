import type { Node } from '../../api/node.ts';
import type { DnsExplanation, ExplainQuestion, PeerOffer } from '../../proto/gen/b8s/v1/agent.ts';
import type { Position } from '../../proto/gen/b8s/v1/plan.ts';
import { describeError } from '../../runtime/control/control-loop.ts';
import { RequestError } from '../../runtime/request-error.ts';
import { type Link, LinkClosedError } from '../../runtime/session/link.ts';
import { takeSlots } from '../../runtime/slots.ts';
import type { Identity } from '../../runtime/tls/authority.ts';
import { NodesAhead } from './ahead.ts';
import { Feed, type Workshop } from './feed.ts';
import type { GatewayPorts } from './ports.ts';
import type { LogSessions } from './read-logs.ts';
import { RETURN_GRACE_MS, Session, type SessionHub } from './session.ts';
import { mayChangePlans, planView, type Viewer, viewerOf } from './view.ts';

/** Sessions that one dom holds; more are told to come back later. */
export const SESSIONS_MAX = 10_000;
/** Of one node: it has one, and others that are ending. */
export const SESSIONS_PER_NODE_MAX = 8;
/** Changes of the world are gathered this long before plans are made of them. */
export const PLAN_DELAY_MS = 5;
/**
 * Plans follow one another no faster than this, for each open session: a thousand nodes that come
 * back at once are a thousand changes, and each is news for every nameserver. One change after a
 * rest is not held up.
 */
export const PLAN_INTERVAL_PER_SESSION_MS = 0.2;

/** Reports under way to the store; those that wait give way to the plans, and to newer ones. */
const REPORTS_WRITING_MAX = 32;

interface SharedFeed {
  readonly viewer: Viewer;
  readonly feed: Feed;
  readonly sessions: Set<Session>;
}

/**
 * All sessions with nodes: makes plans from the world, once for all nodes that see the same, and
 * hands each node what it does not hold yet.
 */
export class Hub implements SessionHub {
  readonly #ports: GatewayPorts;
  readonly #workshop: Workshop = new Map();
  readonly #feeds = new Map<string, SharedFeed>();
  readonly #sessions = new Map<string, Session>();
  readonly #open = new Set<Session>();
  readonly #openPerNode = new Map<string, number>();
  readonly #ahead: NodesAhead;
  readonly #onEnter = new Set<(session: Session) => void>();
  /** Whether nodes that see the same were told different releases of a Site. */
  #told: 'alike' | 'differently' = 'alike';
  /** For the sessions: a task that writes a report. */
  readonly inReportSlot = takeSlots(REPORTS_WRITING_MAX);
  #refresh: 'idle' | 'waiting' = 'idle';
  #refreshedMs = Number.NEGATIVE_INFINITY;

  constructor(ports: GatewayPorts) {
    this.#ports = ports;
    this.#ahead = new NodesAhead(ports.mirror);
  }

  /** Keeps plans in step with the world until the signal is aborted; then ends all sessions. */
  async run(signal: AbortSignal): Promise<void> {
    const unsubscribe = this.#ports.mirror.subscribe((changes) => {
      for (const change of changes)
        if (change.kind === 'object' && change.deleted && change.object.kind === 'Node')
          this.#ports.traffic.forget(change.object.metadata.name);
      for (const change of changes)
        if (change.kind === 'object' && change.deleted && change.object.kind === 'Site')
          this.#ports.traffic.forgetSite(change.object.metadata.uid);
      if (changes.some(mayChangePlans)) this.#refreshSoon(signal);
    });
    await new Promise<void>((resolve) => {
      if (signal.aborted) return resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    unsubscribe();
    for (const session of [...this.#open]) session.close('dom is stopping');
  }

  /** Serves one link until it ends. Never throws. */
  async accept(link: Link, identity: Identity | undefined, signal: AbortSignal): Promise<void> {
    const { log } = this.#ports;
    if (identity?.kind !== 'node')
      return link.close(
        new LinkClosedError('refused', 'only a node may open a session: join first'),
      );
    if (this.#open.size >= SESSIONS_MAX)
      return link.close(new LinkClosedError('lost', `dom already holds ${SESSIONS_MAX} sessions`));
    const own = this.#openPerNode.get(identity.name) ?? 0;
    if (own >= SESSIONS_PER_NODE_MAX)
      return link.close(new LinkClosedError('lost', `${identity.name} has ${own} sessions open`));
    this.#openPerNode.set(identity.name, own + 1);
    const session = new Session(link, identity, this.#ports, this);
    this.#open.add(session);
    this.#ports.metrics.gauge('b8s_sessions', this.#open.size);
    try {
      await session.run(signal);
    } catch (error) {
      log.info({ node: identity.name, reason: describeError(error) }, 'session ended');
    } finally {
      this.#leave(session);
    }
    await this.#awaitReturn(session, signal);
  }

  /**
   * The feed of what this node sees by now; the session is told whenever it moves on. `held`: what
   * the node holds, perhaps of another feed: it must not be told of an earlier position.
   */
  subscribe(session: Session, held: Position | undefined): Feed {
    const node = this.#ports.mirror.get('Node', { name: session.node });
    if (node === undefined)
      throw new LinkClosedError('refused', `node ${session.node} is not declared any more`);
    const { name, viewer } = this.#feedOf(node, session);
    const known = this.#feeds.get(name);
    const shared = known ?? { viewer, feed: this.#newFeed(), sessions: new Set() };
    if (known === undefined) {
      this.#feeds.set(name, shared);
      this.#update(shared);
    }
    if (shared.sessions.has(session)) return shared.feed;
    const others = [...this.#feeds.values()].filter(({ sessions }) => sessions.delete(session));
    const isBehind = held !== undefined && isBefore(shared.feed.position, held);
    // What it holds may be another feed's, to follow upon; and a feed that has not changed since it
    // was made may be older than that this node is told the same.
    if (isBehind || others.length > 0 || this.#told === 'differently' || this.#ahead.any) {
      this.#moveOn(shared);
      this.#stand(shared);
    }
    shared.sessions.add(session);
    return shared.feed;
  }

  /** This node's session from now on; an earlier one of the same node is ended. */
  enter(session: Session): void {
    this.#sessions.get(session.node)?.close('a newer session of this node has begun');
    this.#sessions.set(session.node, session);
    for (const heard of [...this.#onEnter]) heard(session);
  }

  /** Makes plans of the world as it is now, and sends each node what is new to it. */
  refresh(): void {
    for (const session of [...this.#open]) session.check();
    for (const shared of [...this.#feeds.values()]) this.#moveOn(shared);
    const isSplit = this.#ahead.any;
    if (!isSplit && this.#told === 'alike') return;
    this.#told = isSplit ? 'differently' : 'alike';
    // Who is told another release of a Site than before now sees what others see.
    for (const [name, { sessions }] of [...this.#feeds])
      for (const session of [...sessions]) if (this.#isStray(session, name)) session.push();
  }

  /** How other nodes fetch from this one; undefined: they cannot, or it is not connected. */
  peerOffer(node: string): PeerOffer | undefined {
    return this.#sessions.get(node)?.peerOffer;
  }

  /** Asks a nameserver which node it would answer with. */
  async explain(
    question: Omit<ExplainQuestion, 'id'>,
    server: string,
  ): Promise<DnsExplanation | undefined> {
    const nameservers = [...this.#sessions.values()]
      .filter((session) => server === '' || session.node === server)
      .filter((session) => this.#roles(session.node).includes('nameserver'))
      .toSorted((a, b) => (a.node < b.node ? -1 : 1));
    const session = nameservers[0];
    if (session === undefined)
      throw new RequestError(
        'UNAVAILABLE',
        server === ''
          ? 'no nameserver is connected: see b8sctl get nodes'
          : `${server} is no connected nameserver: see b8sctl get nodes`,
      );
    const reply = await session.ask(question);
    if (reply.error !== '') throw new RequestError('FAILED_PRECONDITION', reply.error);
    return reply.explanation;
  }

  /** The edges that are connected, for readers of access logs. */
  logSessions(): LogSessions {
    const isEdge = ({ node }: Session): boolean => this.#roles(node).includes('edge');
    return {
      edges: () =>
        [...this.#sessions.values()].filter(isEdge).toSorted((a, b) => (a.node < b.node ? -1 : 1)),
      onEdge: (listener) => {
        const heard = (session: Session): void => {
          if (isEdge(session)) listener(session);
        };
        this.#onEnter.add(heard);
        return () => this.#onEnter.delete(heard);
      },
    };
  }

  /** A view that cannot be made holds up nobody else's (INV-5). */
  #moveOn(shared: SharedFeed): void {
    try {
      if (!this.#update(shared)) return;
      for (const session of [...shared.sessions]) session.push();
    } catch (error) {
      const { node } = shared.viewer;
      this.#ports.log.error({ node, error: describeError(error) }, 'a plan could not be made');
    }
  }

  /** The feed of what a node sees, by name; nameservers that are told the same share one. */
  #feedOf(node: Node, session: Session): { readonly name: string; readonly viewer: Viewer } {
    const viewer = { ...viewerOf(node), capabilities: session.capabilities };
    const roles = [viewer.edge, viewer.nameserver, ...session.capabilities].join('/');
    // Another edge sees itself besides.
    if (!viewer.nameserver) return { name: `${roles}/${viewer.node}`, viewer };
    if (!viewer.edge) return { name: roles, viewer };
    const ahead = this.#ahead.of(viewer.node);
    const told = [...ahead].map(([uid, release]) => `/${uid} ${release}`);
    return { name: `${roles}${told.toSorted().join('')}`, viewer: { ...viewer, ahead } };
  }

  #isStray(session: Session, feed: string): boolean {
    const node = this.#ports.mirror.get('Node', { name: session.node });
    return node !== undefined && this.#feedOf(node, session).name !== feed;
  }

  /** Moves on in time alone, where that is all that there is to it. */
  #stand({ feed }: SharedFeed): void {
    const { mirror, leadership } = this.#ports;
    const now = { epoch: leadership.epoch, revision: mirror.revision };
    if (isBefore(feed.position, now)) feed.stand(now);
  }

  #newFeed(): Feed {
    return new Feed(this.#workshop, (key, error) =>
      this.#ports.log.error({ key, error: describeError(error) }, 'left out of the plans'),
    );
  }

  #roles(node: string): readonly string[] {
    return this.#ports.mirror.get('Node', { name: node })?.spec.roles ?? [];
  }

  /** A node that does not come back in time is gone; when dom is going itself, nobody can tell. */
  async #awaitReturn(session: Session, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#ports;
    try {
      await clock.sleep(RETURN_GRACE_MS, signal);
    } catch {
      return;
    }
    if (this.#sessions.has(session.node)) return;
    await session.forget().catch((error: unknown) => {
      log.warn(
        { node: session.node, error: describeError(error) },
        'a lease was not ended; it runs out',
      );
    });
  }

  #leave(session: Session): void {
    this.#open.delete(session);
    const others = (this.#openPerNode.get(session.node) ?? 1) - 1;
    if (others > 0) this.#openPerNode.set(session.node, others);
    else this.#openPerNode.delete(session.node);
    this.#ports.metrics.gauge('b8s_sessions', this.#open.size);
    if (this.#sessions.get(session.node) === session) this.#sessions.delete(session.node);
    for (const [name, shared] of [...this.#feeds]) {
      shared.sessions.delete(session);
      if (shared.sessions.size === 0) this.#feeds.delete(name);
    }
    // Without a feed nobody would take out what is deleted, private keys among it.
    if (this.#feeds.size === 0) this.#workshop.clear();
  }

  #refreshSoon(signal: AbortSignal): void {
    if (this.#refresh === 'waiting') return;
    this.#refresh = 'waiting';
    const { clock } = this.#ports;
    const sinceMs = clock.monotonicMs() - this.#refreshedMs;
    const restMs = this.#open.size * PLAN_INTERVAL_PER_SESSION_MS - sinceMs;
    void clock.sleep(Math.max(PLAN_DELAY_MS, restMs), signal).then(
      () => {
        this.#refresh = 'idle';
        this.#refreshedMs = clock.monotonicMs();
        this.refresh();
      },
      () => undefined,
    );
  }

  #update({ feed, viewer }: SharedFeed): boolean {
    const { mirror, leadership, openKey } = this.#ports;
    const view = planView(mirror, viewer, openKey);
    return feed.update(view, { epoch: leadership.epoch, revision: mirror.revision });
  }
}

function isBefore(a: Position, b: Position): boolean {
  return a.epoch === b.epoch ? a.revision < b.revision : a.epoch < b.epoch;
}
