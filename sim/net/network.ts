import type { Place } from '../../agent/dns/geo/geography.ts';
import type { BlobSource } from '../../runtime/content/blob-source.ts';
import type { Peer, PeerFetcher, PeerFinder, PeersQuestion } from '../../runtime/content/peers.ts';
import type { Probe } from '../../runtime/probe.ts';
import type { Dialer } from '../../runtime/session/dialer.ts';
import type { Identity } from '../../runtime/tls/authority.ts';
import type { Check } from '../check/check.ts';
import type { SeededRandom } from '../engine/random.ts';
import type { Scheduler } from '../engine/scheduler.ts';
import type { Trace } from '../engine/trace.ts';
import type { NetFaults } from '../faults/net-faults.ts';
import { BlobWays } from './blobs.ts';
import type { Caller } from './caller.ts';
import type { Listener } from './connection.ts';
import { Dialling } from './dialling.ts';
import { Finding } from './finding.ts';
import { type ListeningEdge, PeerWays } from './peers.ts';
import { Probes } from './probes.ts';
import { apart, type Cut } from './reachability.ts';
import { type Route, Ways } from './ways.ts';

export type { Caller } from './caller.ts';

/** What dom offers on the network, for as long as its process lives. */
export interface DomService extends Listener {
  /** Its host. */
  readonly name: string;
  fetchBlob(node: Identity, digest: string, offsetBytes: number): AsyncIterable<Uint8Array>;
  findPeers(node: Identity, question: PeersQuestion): Promise<readonly Peer[]>;
}

export interface NetworkPorts {
  readonly scheduler: Scheduler;
  readonly random: SeededRandom;
  readonly trace: Trace;
  /** The weather by now. */
  readonly faults: () => NetFaults;
  /** The hosts of dom, in the order in which nodes dial them. */
  readonly doms: readonly string[];
  /** Where a host is; undefined: nobody said, so it is drawn. */
  readonly placeOf: (host: string) => Place | undefined;
  /** Whether the edge of a node answers. */
  readonly isServing: (node: string) => boolean;
  readonly watch?: Pick<Check, 'called' | 'sent'>;
}

/** Whoever asks nodes for names and pages: all over the globe, on no side of any split. */
const CLIENTS = 'clients';

/** All ways between the hosts, with the faults of a real network. */
export class Network {
  /** The hosts of dom, in the order in which nodes dial them. */
  readonly doms: readonly string[];
  /** The most frames that one end of a link has sent although it was told to wait. */
  excessFramesMax = 0;
  readonly #trace: Trace;
  readonly #ways: Ways;
  readonly #dialling: Dialling;
  readonly #blobs: BlobWays;
  readonly #finding: Finding;
  readonly #peers: PeerWays;
  readonly #probes: Probes;
  /** What heals those that are cut off by name. */
  readonly #cutOff = new Map<string, () => void>();

  constructor(ports: NetworkPorts) {
    const { doms, watch = {} } = ports;
    const random = ports.random.fork('network');
    const ways = new Ways({ ...ports, random });
    this.doms = doms;
    this.#trace = ports.trace;
    this.#ways = ways;
    this.#dialling = new Dialling({
      ...{ ...ports, random, ways, watch },
      onExcess: (frames) => {
        this.excessFramesMax = Math.max(this.excessFramesMax, frames);
      },
    });
    const sourceOf = (caller: Caller): string => this.#dialling.lastDialled(caller);
    this.#blobs = new BlobWays({ ...ports, random, ways, watch, sourceOf });
    this.#peers = new PeerWays({ ...ports, random, ways });
    this.#finding = new Finding({ ...ports, ways, watch, sourceOf, chance: () => false });
    this.#probes = new Probes({ ...ports, random, ways });
  }

  /** From now on this process is dom on its host. */
  addDom(dom: DomService): void {
    const { name, process } = dom;
    this.#dialling.listen(name, dom);
    this.#blobs.offer(name, {
      process,
      handle: ({ identity, digest, offsetBytes }) => dom.fetchBlob(identity, digest, offsetBytes),
    });
    this.#finding.offer(name, {
      process,
      async *handle({ identity, question }) {
        yield await dom.findPeers(identity, question);
      },
    });
  }

  dialer(caller: Caller): Dialer {
    return this.#dialling.dialer(caller);
  }

  blobs(caller: Caller): BlobSource {
    return this.#blobs.source(caller);
  }

  /** From now on this process is the edge of its host. */
  addEdge(edge: ListeningEdge): void {
    this.#peers.listen(edge);
  }

  /** How a node finds and asks other edges for blobs. */
  peers(caller: Caller): { readonly finder: PeerFinder; readonly fetcher: PeerFetcher } {
    return { finder: this.#finding.finder(caller), fetcher: this.#peers.fetcher(caller) };
  }

  probe(caller: Caller): Probe {
    return this.#probes.probe(caller);
  }

  /** What one host sends reaches the other. */
  passes(route: Route): boolean {
    return this.#ways.passes(route);
  }

  /** Grows whenever it may have changed who reaches whom. */
  get changes(): number {
    return this.#ways.reachability.changes;
  }

  /** They can talk to each other. */
  reaches(one: string, other: string): boolean {
    return this.#ways.connects({ from: one, to: other });
  }

  /** Resolvers and browsers get answers from that host, if anything there gives any. */
  reachesClients(host: string): boolean {
    return this.#ways.connects({ from: CLIENTS, to: host });
  }

  /** Lets nothing pass these ways; `what` says so in the trace. Returns what heals it. */
  cut(cuts: readonly Cut[], what: string): () => void {
    const heals = cuts.map((cut) => this.#ways.reachability.cut(cut));
    return this.#forAWhile(what, () => {
      for (const heal of heals) heal();
    });
  }

  /** Nothing passes to or from this host, until `join`. */
  cutOff(host: string): void {
    if (this.#cutOff.has(host)) return;
    this.#cutOff.set(host, this.cut(apart([host], 'all'), `${host} is cut off`));
  }

  join(host: string): void {
    this.#cutOff.get(host)?.();
    this.#cutOff.delete(host);
  }

  /** The host turns new connections away. Returns what ends it. */
  refuse(host: string): () => void {
    const end = this.#ways.reachability.refuse(host);
    return this.#forAWhile(`${host} refuses connections`, end);
  }

  #forAWhile(what: string, end: () => void): () => void {
    this.#trace.add('network', what, { kind: 'fault' });
    let phase: 'on' | 'over' = 'on';
    return () => {
      if (phase === 'over') return;
      phase = 'over';
      this.#trace.add('network', `no longer: ${what}`, { kind: 'fault' });
      end();
    };
  }
}
