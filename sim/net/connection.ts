import type { Link } from '../../runtime/session/link.ts';
import type { Identity } from '../../runtime/tls/authority.ts';
import type { Process } from '../engine/process.ts';
import type { SeededRandom } from '../engine/random.ts';
import type { Scheduler } from '../engine/scheduler.ts';
import type { Trace } from '../engine/trace.ts';
import type { NetFaults } from '../faults/net-faults.ts';
import type { Caller } from './caller.ts';
import { LinkTrace } from './link-trace.ts';
import type { Route, Ways } from './ways.ts';
import { whenKilled } from './when-killed.ts';
import { type FrameFate, Wire, type WireEnd } from './wire.ts';

/** Who takes sessions on a host. */
export interface Listener {
  readonly process: Process;
  accept(link: Link, identity: Identity): void;
}

export interface ConnectionPorts {
  readonly scheduler: Scheduler;
  readonly random: SeededRandom;
  readonly trace: Trace;
  readonly faults: () => NetFaults;
  readonly ways: Ways;
}

export interface ConnectionOptions {
  readonly caller: Caller;
  /** Of the other end. */
  readonly host: string;
  /** Told of every frame that is sent, and how many were sent although `send` had said false. */
  readonly onFrame: (from: WireEnd, frame: Uint8Array, excessFrames: number) => void;
}

const STALL_MS_MAX = 15_000;

/** One wire from a node to a host of dom, with all that befalls it while it is open. */
export class Connection {
  /** The node's end. */
  readonly sub: Link;
  readonly #ports: ConnectionPorts;
  readonly #caller: Caller;
  readonly #route: Route;
  readonly #wire: Wire;
  readonly #trace: LinkTrace;
  /** At the other end; until somebody accepts, nobody reads there. */
  readonly #dom: { readonly host: string; process: Process };

  constructor(ports: ConnectionPorts, { caller, host, onFrame }: ConnectionOptions) {
    const { scheduler, faults, ways, trace } = ports;
    const { node, process } = caller;
    this.#ports = ports;
    this.#caller = caller;
    this.#route = { from: node, to: host };
    this.#dom = { host, process };
    this.#trace = new LinkTrace(trace, { sub: { host: node, process }, dom: this.#dom });
    this.#wire = new Wire({
      scheduler,
      windowFrames: faults().windowFrames,
      fate: (from, sizeBytes) => this.#fate(this.#directed(from), sizeBytes),
      passes: (from) => ways.passes(this.#directed(from)),
      onFrame: (from, frame, excessFrames) => {
        this.#trace.sent(from, frame);
        onFrame(from, frame, excessFrames);
      },
    });
    this.sub = this.#trace.end('sub', process.wrap(this.#wire.sub));
    this.#endsWith(process);
  }

  /** Hands the other end to this process, once it has a moment. */
  accept(listener: Listener): void {
    const { process } = listener;
    this.#dom.process = process;
    this.#endsWith(process);
    void process.promise(Promise.resolve()).then(() => {
      const link = this.#trace.end('dom', process.wrap(this.#wire.dom));
      listener.accept(link, this.#caller.identity);
    });
  }

  /** Nobody was there to accept it; the node learns so with these words, or never. */
  fail(why: { readonly message: string } | 'silently'): void {
    const inFlight = 'lost';
    if (why === 'silently') this.#wire.break({ noticedAfterMs: Infinity, inFlight });
    else this.#wire.break({ noticedAfterMs: 0, inFlight, message: why.message });
  }

  /** The node hears from dom what a dom has said to it before. */
  echo(frame: Uint8Array): void {
    this.#happens({ from: this.#route.to, to: this.#route.from }, 'echoes a plan of the past');
    this.#wire.echo(frame);
  }

  #endsWith(process: Process): void {
    const forget = whenKilled(process, () => {
      const inFlight = this.#ports.random.chance(0.5) ? 'arrives' : 'lost';
      const noticedAfterMs = this.#ports.ways.noticeMs(this.#route);
      this.#wire.break({ noticedAfterMs, inFlight });
    });
    void this.#wire.over.then(forget);
  }

  #fate(route: Route, bytes: number): FrameFate {
    const { random, faults, ways } = this.#ports;
    const { frameLoss, halfOpen, stall } = faults();
    if (!ways.passes(route) && random.chance(0.5)) {
      this.#happens(route, 'is forgotten on the way');
      return { kind: 'silenced' };
    }
    if (random.chance(halfOpen)) {
      this.#happens(route, 'falls silent');
      return { kind: 'lost', noticedAfterMs: Infinity };
    }
    if (random.chance(frameLoss)) {
      this.#happens(route, 'breaks');
      return { kind: 'lost', noticedAfterMs: ways.noticeMs(route) };
    }
    const latencyMs = ways.delayMs(route, { bytes });
    if (!random.chance(stall)) return { kind: 'delivered', latencyMs };
    this.#happens(route, 'stalls');
    return { kind: 'delivered', latencyMs: latencyMs + random.integer(1_000, STALL_MS_MAX) };
  }

  #happens({ from, to }: Route, what: string): void {
    this.#ports.trace.add('network', `${from} → ${to} ${what}`, { kind: 'fault' });
  }

  #directed(end: WireEnd): Route {
    const { from, to } = this.#route;
    return end === 'sub' ? { from, to } : { from: to, to: from };
  }
}
