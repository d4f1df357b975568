import type { Node } from '../../api/node.ts';
import type { PeerOffer } from '../../proto/gen/b8s/v1/agent.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Digest } from '../../runtime/content/digest.ts';
import { grantKey } from '../../runtime/content/peer-url.ts';
import type { Peer, PeersQuestion } from '../../runtime/content/peers.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import type { World } from '../../runtime/store/world.ts';
import type { Identity } from '../../runtime/tls/authority.ts';
import { type Candidate, PEER_LIMITS, type PeerLimits, planPeers } from './plan.ts';

/**
 * How long a grant is good for, by the clock of the edge. Who fetches for longer asks anew. That
 * clock may be so much ahead, less the minute in which nodes take a refusal for its fault.
 */
export const GRANT_S = 600;
/** Who has not been sent anything by dom for so long is done, or gone. */
export const SENDING_MS = 3_000;
/** Between two blobs of a node. */
const PAUSE_MS = 500;
/** How long a node counts for the edge that was named to it. */
export const LOAD_MS = 60_000;
/** Lists that are remembered, and for how long nobody may have asked for one. */
export const LISTS_MAX = 64;
export const LIST_MS = 15 * 60_000;
/** Nodes that are looked at for one that had the list before dom took the lead, in one go. */
const SCANNED_MAX = 256;

export interface PeerBoardPorts {
  readonly world: World;
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Of a node that is connected; undefined: it does not serve others. */
  readonly offerOf: (node: string) => PeerOffer | undefined;
  readonly limits?: Partial<PeerLimits>;
}

export interface Upload {
  sent(bytes: number): void;
  end(): void;
}

/** A node that has asked for a list. */
interface Fetching {
  readonly uid: string;
  /** Of those that ask for it: it is named to later ones only, so that nobody waits in a circle. */
  readonly order: number;
  readonly depth: number;
  /** The edge that was named to it first; undefined: dom sends it. */
  readonly upstream: string | undefined;
  readonly askedMs: number;
}

interface Sending {
  bytes: number;
  streams: number;
  heardMs: number;
}

/**
 * Who fetches what from whom. In memory only: a dom that takes the lead begins anew, and learns who
 * has a release from the reports.
 *
 * Guarantees: only edges that are connected, declared and not cordoned are named, never one to
 * itself, nor two to each other. Bounded by `LISTS_MAX` times the nodes that there are.
 */
export class PeerBoard {
  readonly #ports: PeerBoardPorts;
  readonly #limits: PeerLimits;
  /** By list, the one asked for last at the end; by node, in the order in which they began. */
  readonly #lists = new Map<Digest, { readonly nodes: Map<string, Fetching>; askedMs: number }>();
  readonly #sending = new Map<string, Sending>();
  #orders = 0;
  /** Blobs on their way to whomever. */
  #uploads = 0;
  #sentMs = Number.NEGATIVE_INFINITY;
  /** Where the last look at the reports ended. */
  #scanned = 0;

  constructor(ports: PeerBoardPorts) {
    this.#ports = ports;
    this.#limits = { ...PEER_LIMITS, ...ports.limits };
  }

  /** Whom this node is to fetch from, in order; none: from dom. */
  find(
    { name, uid }: Pick<Extract<Identity, { kind: 'node' }>, 'name' | 'uid'>,
    question: PeersQuestion,
  ): readonly Peer[] {
    const { clock, metrics } = this.#ports;
    const nodes = this.#nodesOf(question.list);
    const known = nodes.get(name);
    const order = known?.uid === uid ? known.order : this.#orders++;
    const excluded = new Set([name, ...question.failed]);
    const chosen = planPeers(
      {
        missingBytes: question.missingBytes,
        sending: this.#sendingTo(name),
        candidates: this.#candidates(question.list, { order, excluded }),
      },
      this.#limits,
    );
    const [first] = chosen;
    const depth = first === undefined ? 0 : first.depth + 1;
    nodes.set(name, { uid, order, depth, upstream: first?.node, askedMs: clock.monotonicMs() });
    metrics.count('b8s_blob_lists_total', { source: first === undefined ? 'dom' : 'peers' });
    if (first === undefined) this.#begin(name, question.missingBytes);
    else this.#sending.delete(name);
    return chosen.flatMap(({ node }) => this.#peer(node, name, question.list) ?? []);
  }

  /** Whether dom sends blobs to anybody by now, or did a moment ago. */
  isSending(): boolean {
    return this.#uploads > 0 || this.#ports.clock.monotonicMs() - this.#sentMs < PAUSE_MS;
  }

  /** Dom begins to send this node a blob. */
  upload(node: string): Upload {
    const { metrics, clock } = this.#ports;
    const sending = this.#sending.get(node);
    if (sending !== undefined) sending.streams += 1;
    this.#uploads += 1;
    return {
      sent: (bytes) => metrics.count('b8s_blob_bytes_sent_total', {}, bytes),
      end: () => {
        this.#uploads -= 1;
        this.#sentMs = clock.monotonicMs();
        if (sending === undefined) return;
        sending.streams -= 1;
        sending.heardMs = clock.monotonicMs();
      },
    };
  }

  #begin(node: string, bytes: number): void {
    const heardMs = this.#ports.clock.monotonicMs();
    const known = this.#sending.get(node);
    if (known === undefined) this.#sending.set(node, { bytes, streams: 0, heardMs });
    else Object.assign(known, { bytes, heardMs });
  }

  #sendingTo(except: string): { readonly nodes: number; readonly bytes: number } {
    const nowMs = this.#ports.clock.monotonicMs();
    for (const [node, { streams, heardMs }] of this.#sending)
      if (streams === 0 && nowMs - heardMs >= SENDING_MS) this.#sending.delete(node);
    const others = [...this.#sending].filter(([node]) => node !== except);
    return { nodes: others.length, bytes: others.reduce((sum, [, { bytes }]) => sum + bytes, 0) };
  }

  #nodesOf(list: Digest): Map<string, Fetching> {
    const nowMs = this.#ports.clock.monotonicMs();
    const known = this.#lists.get(list) ?? { nodes: new Map<string, Fetching>(), askedMs: nowMs };
    known.askedMs = nowMs;
    this.#lists.delete(list);
    this.#lists.set(list, known);
    for (const [oldest, { askedMs }] of this.#lists) {
      if (this.#lists.size <= LISTS_MAX && nowMs - askedMs < LIST_MS) break;
      this.#lists.delete(oldest);
    }
    return known.nodes;
  }

  /** Those that began before, and some that have it all. */
  #candidates(
    list: Digest,
    { order, excluded }: { readonly order: number; readonly excluded: ReadonlySet<string> },
  ): readonly Candidate[] {
    const loads = this.#loads();
    const found = new Map<string, Candidate>();
    const nodes = this.#lists.get(list)?.nodes ?? new Map<string, Fetching>();
    for (const [node, fetching] of nodes) {
      if (this.#edge(node)?.metadata.uid !== fetching.uid) nodes.delete(node);
      else if (fetching.order < order && !excluded.has(node) && this.#serves(node))
        found.set(node, { node, depth: fetching.depth, load: loads.get(node) ?? 0 });
    }
    for (const node of this.#holders(list))
      if (!excluded.has(node)) found.set(node, { node, depth: 0, load: loads.get(node) ?? 0 });
    return [...found.values()];
  }

  #loads(): ReadonlyMap<string, number> {
    const nowMs = this.#ports.clock.monotonicMs();
    const loads = new Map<string, number>();
    for (const { nodes } of this.#lists.values())
      for (const { upstream, askedMs } of nodes.values())
        if (upstream !== undefined && nowMs - askedMs < LOAD_MS)
          loads.set(upstream, (loads.get(upstream) ?? 0) + 1);
    return loads;
  }

  /** By their reports; not all that there are, where there are very many. */
  #holders(list: Digest): readonly string[] {
    const { world } = this.#ports;
    const nodes = world.list('Node');
    const count = Math.min(nodes.length, SCANNED_MAX);
    const from = this.#scanned;
    this.#scanned = nodes.length === 0 ? 0 : (from + count) % nodes.length;
    return Array.from({ length: count }, (_, index) => nodes[(from + index) % nodes.length])
      .filter((node) => node !== undefined)
      .filter(({ metadata }) => this.#hasVerified(metadata, list) && this.#serves(metadata.name))
      .map(({ metadata }) => metadata.name);
  }

  #hasVerified({ name, uid }: Node['metadata'], list: Digest): boolean {
    const report = this.#ports.world.record('report', name)?.value;
    return report?.nodeUid === uid && report.sites.some((each) => each.verified.includes(list));
  }

  #serves(node: string): boolean {
    const declared = this.#edge(node);
    if (declared === undefined || declared.spec.unschedulable) return false;
    const { ipv4, ipv6 } = declared.spec;
    return ipv4.length + ipv6.length > 0 && this.#ports.offerOf(node) !== undefined;
  }

  #edge(name: string): Node | undefined {
    const node = this.#ports.world.get('Node', { name });
    const isEdge = node?.metadata.deletionTimestamp === undefined;
    return isEdge && node?.spec.roles.includes('edge') === true ? node : undefined;
  }

  #peer(node: string, asker: string, list: Digest): Peer | undefined {
    const { clock, offerOf } = this.#ports;
    const [declared, offer] = [this.#edge(node), offerOf(node)];
    if (declared === undefined || offer === undefined) return undefined;
    const { ipv4, ipv6, ports } = declared.spec;
    const untilS = Math.floor(clock.nowMs() / 1000) + GRANT_S;
    return {
      node,
      addresses: [...ipv4, ...ipv6],
      httpsPort: ports.https,
      fingerprint: Buffer.from(offer.fingerprint).toString('hex'),
      grant: grantKey(offer.key, { list, node: asker, untilS }),
      untilS,
    };
  }
}
