import type { Place } from '../../agent/dns/geo/geography.ts';
import type { SeededRandom } from '../engine/random.ts';
import type { Scheduler } from '../engine/scheduler.ts';
import type { NetFaults } from '../faults/net-faults.ts';
import { Latency } from './latency.ts';
import { Reachability } from './reachability.ts';

export interface WaysPorts {
  readonly scheduler: Scheduler;
  readonly random: SeededRandom;
  /** The weather by now. */
  readonly faults: () => NetFaults;
  /** Where a host is; undefined: nobody said, so it is drawn. */
  readonly placeOf: (host: string) => Place | undefined;
}

/** From one host to another, by their names. */
export interface Route {
  readonly from: string;
  readonly to: string;
}

/** What becomes of a try to reach a process on a host. */
export type Contact = 'connected' | 'refused' | 'silent';

/** A broken connection is noticed by the operating system within this time, if at all. */
const NOTICE_MS_MAX = 20_000;
/** From the first word of a connection to the first word on it: two handshakes (TCP and TLS). */
const HANDSHAKE_CROSSINGS = 4;
/** What waits for a narrow way longer than this finds no room in any buffer. */
const QUEUE_MS_MAX = 10_000;

/** The ways between all hosts: how long they take, and what they let pass. */
export class Ways {
  readonly reachability = new Reachability();
  readonly #ports: WaysPorts;
  readonly #latency: Latency;
  /** By route: when all that was put on a narrow way so far has gone. */
  readonly #goneMs = new Map<string, number>();

  constructor(ports: WaysPorts) {
    const random = ports.random.fork('ways');
    this.#ports = { ...ports, random };
    this.#latency = new Latency(random.fork('latency'), ports.placeOf);
  }

  passes({ from, to }: Route): boolean {
    return this.reachability.passes(from, to);
  }

  /** Both ways: what is asked can be answered. */
  connects({ from, to }: Route): boolean {
    return this.passes({ from, to }) && this.passes({ from: to, to: from });
  }

  /** How long bytes that are sent now take, in whole milliseconds; at least 1. */
  delayMs(route: Route, { bytes = 0, crossings = 1 } = {}): number {
    const { jitterMs, slownessMax } = this.#ports.faults();
    const { distanceMs, poverty } = this.#latency.way(route.from, route.to);
    const crossingMs = distanceMs * (1 + (slownessMax - 1) * poverty);
    const queueMs = poverty > 0.5 ? this.#queueMs(route, bytes) : 0;
    const ms = queueMs + crossings * crossingMs + this.#latency.tailMs(jitterMs);
    return Math.max(1, Math.ceil(ms));
  }

  travel(route: Route, options?: Parameters<Ways['delayMs']>[1]): Promise<void> {
    return this.pause(this.delayMs(route, options));
  }

  /** Goes there and sees who is there; `listens` is asked on arrival. */
  async contact(route: Route, listens: () => boolean): Promise<Contact> {
    const { random, faults } = this.#ports;
    await this.travel(route, { crossings: HANDSHAKE_CROSSINGS });
    if (!this.connects(route) || random.chance(faults().dialHang)) return 'silent';
    if (this.reachability.refuses(route.to)) return 'refused';
    if (listens()) return 'connected';
    // The process is gone, or the whole machine.
    return random.chance(0.5) ? 'refused' : 'silent';
  }

  /** Until the signal is aborted, whose reason it throws. */
  async silence(signal: AbortSignal): Promise<never> {
    await this.#ports.scheduler.clock().sleep(Infinity, signal);
    throw new Error('unreachable');
  }

  /** Most breaks are noticed in no time, some late, some by nobody (Infinity). */
  noticeMs(route: Route): number {
    const { random } = this.#ports;
    if (random.chance(0.6)) return this.delayMs(route);
    return random.chance(0.5) ? random.integer(1, NOTICE_MS_MAX) : Infinity;
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#ports.scheduler.after(ms, resolve));
  }

  /** All that goes the same way waits for one another. */
  #queueMs({ from, to }: Route, bytes: number): number {
    const { scheduler, faults } = this.#ports;
    const { slowBytesPerS } = faults();
    if (slowBytesPerS === 0) return 0;
    const { nowMs } = scheduler;
    const name = `${from} ${to}`;
    const startMs = Math.max(nowMs, this.#goneMs.get(name) ?? 0);
    const queueMs = Math.min(QUEUE_MS_MAX, startMs - nowMs + (bytes * 1_000) / slowBytesPerS);
    this.#goneMs.set(name, nowMs + queueMs);
    return queueMs;
  }
}
