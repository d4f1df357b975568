import { REPORT_INTERVAL_MS } from '../../../agent/session/conversation.ts';
import { HEARTBEAT_INTERVAL_MS } from '../../../dom/gateway/feed.ts';
import type { Check, CheckPorts } from '../check.ts';
import { MENDS } from './rest.ts';

/**
 * P of INV-6: the longest time for which a node waits before it tries again. All bounds are for
 * windows of this length that follow one another.
 */
export const PERIOD_MS = 10_000;
/**
 * Dials of each dom by one life of a sub. Its waits begin with at least 125 ms and double, so that
 * the ninth round would begin 15 s after the first. The busiest of 60 seeds: 6.
 */
export const DIALS_PER_DOM_MAX = 8;
/**
 * Tries to fetch one blob by one life of a sub: as with dials, and once more after each of these,
 * for a way to dom that opens is a reason to try at once. The busiest of 60 seeds: 10.
 */
export const FETCHES_PER_DOM_MAX = 2 * DIALS_PER_DOM_MAX;
/**
 * At rest only what cannot be had is asked for, after waits of at least 5 s, and at each dial; but
 * for what is found to have rotted just then.
 */
const RESTING_FETCHES_MAX = 3;
/** Of one node and each dom: hellos and what follows them at once, of several lives. */
const GREETINGS_PER_DOM_MAX = 2 * DIALS_PER_DOM_MAX;
const HEARTBEATS_MAX = Math.ceil(PERIOD_MS / HEARTBEAT_INTERVAL_MS) + 1;
/** Frames of one node, besides greetings. The busiest of 60 seeds: 39. */
export const NODE_FRAMES_MAX = PERIOD_MS / REPORT_INTERVAL_MS + HEARTBEATS_MAX;
/**
 * Frames to one node. Plans follow the world, which changes with all that the nodes report: nothing
 * but their number bounds it. The busiest of 60 seeds, with up to 30 nodes: 36.
 */
export const DOM_FRAMES_MAX = 250;
/**
 * Frames that an end of a link sends although it was told to wait: those who wait for the same
 * moment all go on in it. At most each of heartbeat, report and 16 answers to questions.
 */
export const EXCESS_FRAMES_MAX = 18;

export interface BoundsPorts extends CheckPorts {
  readonly doms: () => number;
  /** The most frames so far that one end of a link has sent although it was told to wait. */
  readonly excessFrames: () => number;
}

/**
 * INV-6: however many come back at once, each asks no more than its backoff lets it; at rest nobody
 * says anything but that he is there. INV-39: what a peer that stalls has not taken is bounded.
 */
export function boundsCheck(ports: BoundsPorts): Check {
  const { violated, doms, excessFrames } = ports;
  const calls = new Windows(ports.nowMs);
  const frames = new Windows(ports.nowMs);
  let phase: 'busy' | 'settled' = 'busy';
  /** Host and blob: what was found damaged since all came to rest. */
  const mending = new Set<string>();
  const atMost = (max: number, count: number, what: string): void => {
    if (count > max) violated(6, `${what} ${count} times within ${PERIOD_MS} ms: at most ${max}`);
  };
  return {
    called({ process, service, digest = '' }) {
      const what = `${process} asks for ${service} ${digest}`.trimEnd();
      const isDial = service === 'session';
      const busyMax = (isDial ? DIALS_PER_DOM_MAX : FETCHES_PER_DOM_MAX) * doms();
      // At rest only those who are refused, because they were removed, knock now and then.
      const restMax = doms() + (isDial ? 0 : RESTING_FETCHES_MAX);
      const isResting = phase === 'settled' && !mending.has(`${hostOf(process)} ${digest}`);
      atMost(isResting ? restMax : busyMax, calls.add(what), what);
    },
    sent({ node, from }) {
      const what = from === 'sub' ? `${node} says something` : `something is said to ${node}`;
      const busyMax = from === 'sub' ? NODE_FRAMES_MAX : DOM_FRAMES_MAX;
      const greetings = GREETINGS_PER_DOM_MAX * doms();
      const restMax = HEARTBEATS_MAX + doms();
      atMost(phase === 'settled' ? restMax : busyMax + greetings, frames.add(what), what);
    },
    logged(host, { message, fields: { digest } }) {
      if (MENDS.has(message)) mending.add(`${host} ${String(digest)}`);
    },
    stepped() {
      const count = excessFrames();
      if (count > EXCESS_FRAMES_MAX)
        violated(39, `${count} frames were sent to a peer that does not take any`);
    },
    settled() {
      phase = 'settled';
      mending.clear();
      calls.clear();
      frames.clear();
    },
    rested() {
      phase = 'busy';
      calls.clear();
      frames.clear();
    },
  };
}

/** `london#2` → `london`. */
function hostOf(process: string): string {
  return process.slice(0, process.lastIndexOf('#'));
}

/** How often things happened in the window of time that is now. */
class Windows {
  readonly #nowMs: () => number;
  readonly #counts = new Map<string, number>();
  #window = 0;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Once more; how often by now. */
  add(what: string): number {
    const window = Math.floor(this.#nowMs() / PERIOD_MS);
    if (window !== this.#window) this.clear();
    this.#window = window;
    const count = (this.#counts.get(what) ?? 0) + 1;
    this.#counts.set(what, count);
    return count;
  }

  clear(): void {
    this.#counts.clear();
  }
}
