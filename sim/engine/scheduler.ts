import type { Clock } from '../../runtime/clock.ts';
import type { Random } from '../../runtime/random.ts';

/** When the virtual clocks of a world begin: 2027-01-15T08:00:00Z. */
export const EPOCH_MS = 1_800_000_000_000;

export interface SchedulerPorts {
  /** Draws the order of what is due at the same time. */
  readonly random: Random;
  readonly turns: Turns;
}

/** The one thing in a world that is real: how promises get their turn. */
export interface Turns {
  /** Lets every promise that is ready have its say before it returns. */
  drain(): void;
  /** Calls `action` in a turn of its own, where `drain` may be called. */
  next(action: () => void): void;
}

/** After so many events the real world gets a turn: somebody may want to end the process. */
const EVENTS_PER_TURN = 1_000;

/** Why `run` came back. `deadlock`: nothing is scheduled, so nothing can ever happen again. */
export type RunOutcome = 'reached' | 'deadlock';

/**
 * The time of a world: one queue of events, ordered by (virtual time, seeded order, sequence).
 *
 * Guarantees: between two events everything that is ready has run, so an event finds all processes
 * waiting for something.
 */
export class Scheduler {
  /** Virtual milliseconds since the start. */
  nowMs = 0;
  /** Events run so far. */
  steps = 0;
  /** Called after each event, once all is settled; what it throws ends the run. */
  onStep: () => void = () => undefined;
  readonly #ports: SchedulerPorts;
  readonly #heap = new EventHeap();
  #sequence = 0;

  constructor(ports: SchedulerPorts) {
    this.#ports = ports;
  }

  /** Runs `action` after `delayMs`; returns what calls it off. */
  after(delayMs: number, action: () => void): () => void {
    this.#sequence += 1;
    const event: ScheduledEvent = {
      atMs: this.nowMs + Math.max(0, delayMs),
      order: this.#ports.random.next(),
      sequence: this.#sequence,
      action,
    };
    this.#heap.push(event);
    return () => {
      event.action = undefined;
    };
  }

  /** Runs events until `untilMs` is reached, or `condition` holds. Rejects with what `onStep` throws. */
  run(untilMs: number, condition: () => boolean = () => false): Promise<RunOutcome> {
    const { turns } = this.#ports;
    return new Promise((resolve, reject) => {
      const turn = (): void => {
        try {
          turns.drain();
          const outcome = this.#turn(untilMs, condition);
          if (outcome === undefined) turns.next(turn);
          else resolve(outcome);
        } catch (error) {
          reject(error);
        }
      };
      turns.next(turn);
    });
  }

  /** Undefined: there is more to run. */
  #turn(untilMs: number, condition: () => boolean): RunOutcome | undefined {
    for (let left = EVENTS_PER_TURN; left > 0; left -= 1) {
      if (condition()) return 'reached';
      const next = this.#heap.peek();
      if (next === undefined || next.atMs > untilMs) {
        if (untilMs !== Infinity) this.nowMs = Math.max(this.nowMs, untilMs);
        return next === undefined ? 'deadlock' : 'reached';
      }
      this.#heap.pop();
      const { action } = next;
      if (action === undefined) continue;
      this.nowMs = next.atMs;
      this.steps += 1;
      action();
      this.#ports.turns.drain();
      this.onStep();
    }
    return undefined;
  }

  /** The true time. Hosts have clocks of their own, which are wrong: see `HostClock`. */
  clock(): Clock {
    return {
      nowMs: () => EPOCH_MS + Math.floor(this.nowMs),
      monotonicMs: () => this.nowMs,
      sleep: (ms, signal) => this.sleep(ms, signal),
    };
  }

  /** For so many virtual milliseconds. Rejects with the signal's reason when it is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      // Whole milliseconds, as timers have them; for ever is an answer too.
      const cancel =
        ms === Infinity ? () => undefined : this.after(Math.ceil(ms), () => finish(resolve));
      const abort = (): void => {
        cancel();
        finish(() => reject(signal?.reason));
      };
      const finish = (settle: () => void): void => {
        signal?.removeEventListener('abort', abort);
        settle();
      };
      signal?.addEventListener('abort', abort, { once: true });
    });
  }
}

interface ScheduledEvent {
  readonly atMs: number;
  readonly order: number;
  readonly sequence: number;
  /** Undefined: called off. */
  action: (() => void) | undefined;
}

function isBefore(a: ScheduledEvent, b: ScheduledEvent): boolean {
  if (a.atMs !== b.atMs) return a.atMs < b.atMs;
  return a.order === b.order ? a.sequence < b.sequence : a.order < b.order;
}

/** A binary heap. */
class EventHeap {
  readonly #events: ScheduledEvent[] = [];

  peek(): ScheduledEvent | undefined {
    return this.#events[0];
  }

  push(event: ScheduledEvent): void {
    const events = this.#events;
    let index = events.length;
    events.push(event);
    while (index > 0) {
      const parent = (index - 1) >>> 1;
      const above = events[parent];
      if (above === undefined || !isBefore(event, above)) break;
      events[index] = above;
      index = parent;
    }
    events[index] = event;
  }

  pop(): ScheduledEvent | undefined {
    const events = this.#events;
    const [first] = events;
    const last = events.pop();
    if (last === undefined || last === first) return first;
    let index = 0;
    for (;;) {
      const [left, right] = [events[2 * index + 1], events[2 * index + 2]];
      const child = right !== undefined && left !== undefined && isBefore(right, left) ? 2 : 1;
      const below = child === 2 ? right : left;
      if (below === undefined || !isBefore(below, last)) break;
      events[index] = below;
      index = 2 * index + child;
    }
    events[index] = last;
    return first;
  }
}
