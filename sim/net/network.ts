import type { Identity } from '../../runtime/authority.ts';
import type { BlobSource } from '../../runtime/blob-source.ts';
import type { Dialer } from '../../runtime/dialer.ts';
import { type Link, LinkClosedError } from '../../runtime/link.ts';
import type { Probe } from '../../runtime/probe.ts';
import type { SentFrame } from '../check/check.ts';
import type { Process } from '../engine/process.ts';
import type { SeededRandom } from '../engine/random.ts';
import type { Scheduler } from '../engine/scheduler.ts';
import type { Trace } from '../engine/trace.ts';
import type { Faults } from '../faults/faults.ts';
import { LinkTrace } from './link-trace.ts';
import { type FrameFate, Wire } from './wire.ts';

/** What dom offers on the network, for as long as its process lives. */
export interface DomService {
  /** Of its host. */
  readonly name: string;
  readonly process: Process;
  accept(link: Link, identity: Identity): void;
  fetchBlob(node: Identity, digest: string, offsetBytes: number): AsyncIterable<Uint8Array>;
}

/** A sub as the network knows it. */
export interface Caller {
  readonly node: string;
  readonly identity: Identity;
  readonly process: Process;
}

/** A probe takes this long to give up. */
const PROBE_MS_MAX = 1_000;
/** A broken connection is noticed by the operating system within this time, if at all. */
const NOTICE_MS_MAX = 20_000;
/** Blobs travel in pieces of at most this size, so that small ones can be cut as well. */
const PIECE_BYTES_MAX = 400;

/** All ways between the hosts, with the faults of a real network. */
export class Network {
  readonly #faults: () => Faults;
  readonly #scheduler: Scheduler;
  readonly #random: SeededRandom;
  readonly #trace: Trace;
  readonly #isServing: (node: string) => boolean;
  readonly #doms: () => readonly DomService[];
  readonly #onFrame: (frame: SentFrame) => void;
  /** By node: where its blobs come from as well. */
  readonly #dialled = new Map<string, DomService>();
  readonly #cutOff = new Set<string>();

  constructor(ports: {
    scheduler: Scheduler;
    random: SeededRandom;
    trace: Trace;
    /** Whether the edge of a node answers. */
    isServing: (node: string) => boolean;
    /** Every dom that runs by now, leading or not. */
    doms: () => readonly DomService[];
    onFrame: (frame: SentFrame) => void;
    /** The weather by now. */
    faults: () => Faults;
  }) {
    this.#scheduler = ports.scheduler;
    this.#random = ports.random.fork('network');
    this.#trace = ports.trace;
    this.#isServing = ports.isServing;
    this.#doms = ports.doms;
    this.#onFrame = ports.onFrame;
    this.#faults = ports.faults;
  }

  /** Nothing passes to or from this host, until `join`. */
  cutOff(host: string): void {
    this.#fault(`${host} is cut off`);
    this.#cutOff.add(host);
  }

  join(host: string): void {
    if (this.#cutOff.delete(host)) this.#fault(`${host} is back`);
  }

  /** Whether anything passes between two hosts, by their names. */
  reaches(one: string, other: string): boolean {
    return !this.#cutOff.has(one) && !this.#cutOff.has(other);
  }

  dialer({ node, identity, process }: Caller): Dialer {
    return process.wrap<Dialer>({
      dial: async (signal) => {
        await this.#travel();
        signal.throwIfAborted();
        if (!this.reaches(node, 'dom')) return this.#noAnswer(signal);
        const dom = this.#dial(node);
        if (dom === undefined) throw new LinkClosedError('lost', 'dial dom: connection refused');
        const link = new LinkTrace(this.#trace, {
          sub: { host: node, process },
          dom: { host: dom.name, process: dom.process },
        });
        const wire = this.#wire(node, { identity, dom, link });
        for (const end of [process, dom.process]) end.onKill(() => wire.break(this.#noticeMs()));
        dom.accept(link.end('dom', dom.process.wrap(wire.dom)), identity);
        return link.end('sub', process.wrap(wire.sub));
      },
    });
  }

  probe({ node, process }: Caller): Probe {
    return process.wrap<Probe>({
      probe: async (target, signal) => {
        const lost = this.#random.chance(this.#faults().probeLoss);
        if (lost || !this.reaches(node, target.node)) {
          await this.#pause(PROBE_MS_MAX);
          return false;
        }
        await this.#travel();
        return !signal.aborted && this.#isServing(target.node);
      },
    });
  }

  blobs({ node, identity, process }: Caller): BlobSource {
    return process.wrap<BlobSource>({
      fetch: (digest, offsetBytes, signal) =>
        this.#fetch({ node, identity, digest, offsetBytes, signal }),
    });
  }

  async *#fetch(request: {
    readonly node: string;
    readonly identity: Identity;
    readonly digest: string;
    readonly offsetBytes: number;
    readonly signal: AbortSignal;
  }): AsyncGenerator<Uint8Array> {
    const { node, identity, digest, offsetBytes, signal } = request;
    await this.#travel();
    const dom = this.#dialled.get(node);
    if (dom === undefined || !dom.process.alive || !this.reaches(node, 'dom'))
      throw new Error(`fetch ${digest}: no way to dom`);
    for await (const chunk of dom.fetchBlob(identity, digest, offsetBytes)) {
      for (let at = 0; at < chunk.length; at += PIECE_BYTES_MAX) {
        await this.#travel();
        signal.throwIfAborted();
        const isBroken = !dom.process.alive || !this.reaches(node, 'dom');
        if (isBroken || this.#random.chance(this.#faults().blobCut)) {
          this.#fault(`the stream of a blob to ${node} breaks`);
          throw new Error(`fetch ${digest}: the stream broke`);
        }
        yield this.#perhapsDamaged(node, chunk.slice(at, at + PIECE_BYTES_MAX));
      }
    }
  }

  /** As the real dialer does it: a node knows all doms, and each dial goes to the next one. */
  #dial(node: string): DomService | undefined {
    const last = this.#dialled.get(node);
    const doms = this.#doms();
    const next = doms.findIndex((dom) => dom.name === last?.name) + 1;
    const dom = doms[next % Math.max(1, doms.length)];
    if (dom !== undefined) this.#dialled.set(node, dom);
    return dom;
  }

  #perhapsDamaged(node: string, piece: Uint8Array): Uint8Array {
    if (!this.#random.chance(this.#faults().blobDamage)) return piece;
    this.#fault(`a blob to ${node} is damaged`);
    const at = this.#random.integer(0, piece.length - 1);
    return piece.with(at, (piece[at] ?? 0) ^ 1);
  }

  #wire(
    node: string,
    ends: { readonly identity: Identity; readonly dom: DomService; readonly link: LinkTrace },
  ): Wire {
    const { identity, dom, link } = ends;
    const nodeUid = identity.kind === 'node' ? identity.uid : '';
    return new Wire({
      scheduler: this.#scheduler,
      fate: () => this.#fate(node),
      onFrame: (from, bytes) => {
        link.sent(from, bytes);
        this.#onFrame({ node, nodeUid, from, dom: dom.process.name, bytes });
      },
    });
  }

  #fate(node: string): FrameFate {
    const { frameLoss, halfOpen } = this.#faults();
    const isHalfOpen = this.#random.chance(halfOpen) || !this.reaches(node, 'dom');
    if (!isHalfOpen && !this.#random.chance(frameLoss))
      return { kind: 'delivered', latencyMs: this.#latencyMs() };
    this.#fault(`the link of ${node} ${isHalfOpen ? 'falls silent' : 'breaks'}`);
    return { kind: 'lost', noticedAfterMs: isHalfOpen ? Infinity : this.#noticeMs() };
  }

  /** Most breaks are noticed in no time, some late, some by nobody. */
  #noticeMs(): number {
    if (this.#random.chance(0.6)) return this.#latencyMs();
    return this.#random.chance(0.5) ? this.#random.integer(1, NOTICE_MS_MAX) : Infinity;
  }

  async #noAnswer(signal: AbortSignal): Promise<never> {
    await this.#scheduler.clock().sleep(Infinity, signal);
    throw new LinkClosedError('lost', 'dial dom: no answer');
  }

  #fault(what: string): void {
    this.#trace.add('network', what, { kind: 'fault' });
  }

  #travel(): Promise<void> {
    return this.#pause(this.#latencyMs());
  }

  #latencyMs(): number {
    return this.#random.integer(1, this.#faults().latencyMsMax);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#scheduler.after(ms, resolve));
  }
}
