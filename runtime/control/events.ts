import { createHash } from 'node:crypto';
import type { Event, EventSpec } from '../../api/event.ts';
import { DEFAULT_NAMESPACE, type Resource } from '../../api/object.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { World } from '../store/world.ts';
import type { Author, Operation, Writer } from '../store/writer.ts';

/** What happened to an object, as the one who saw it tells it. */
export interface EventNote {
  readonly regarding: Resource;
  readonly type: EventSpec['type'];
  /** One CamelCase word. */
  readonly reason: string;
  /** A sentence for people; cut at EVENT_MESSAGE_MAX. */
  readonly message: string;
  readonly source: EventSpec['source'];
}

/**
 * Tells people what happened, as a port.
 *
 * Guarantees: returns at once and never throws.
 * Caveats: best effort. What is not written when the process ends is lost.
 */
export interface EventRecorder {
  record(note: EventNote): void;
}

/** The same thing within one hour of the clock is one Event, counted. */
export const EVENT_SERIES_MS = 60 * 60 * 1000;
/** The shortest time between two writes of one Event, however often it happens. */
export const EVENT_WRITE_INTERVAL_MS = 10_000;
/** Different Events waiting to be written; more are dropped. */
export const EVENTS_PENDING_MAX = 1000;
export const EVENT_MESSAGE_MAX = 1024;

const AUTHOR: Author = { manager: 'event-recorder', user: 'dom' };

/**
 * Writes Events to the store, counted rather than repeated.
 *
 * Expected flow: `record` adds to a bounded map, `run` writes each entry once it is due.
 */
export class StoredEvents implements EventRecorder {
  readonly #pending = new Map<string, Pending>();
  /** When each Event was last written, monotonic; forgotten after EVENT_WRITE_INTERVAL_MS. */
  readonly #writtenMs = new Map<string, number>();
  readonly #ports: EventPorts;
  #wake = new AbortController();

  constructor(ports: EventPorts) {
    this.#ports = ports;
  }

  record(note: EventNote): void {
    const nowMs = this.#ports.clock.nowMs();
    const name = eventName(note, nowMs);
    this.#add({ name, note, count: 1, firstMs: nowMs, lastMs: nowMs });
    this.#wake.abort();
  }

  /** Writes until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      for (const pending of this.#takeDue()) {
        if (signal.aborted) return;
        await this.#write(pending);
      }
      await this.#idle(signal);
    }
  }

  #add(happened: Pending): void {
    const before = this.#pending.get(happened.name);
    if (before === undefined && this.#pending.size >= EVENTS_PENDING_MAX) {
      const { reason, message } = happened.note;
      this.#ports.log.warn({ reason, event: message }, 'too many events, dropped one');
      return;
    }
    this.#pending.set(happened.name, {
      ...happened,
      count: happened.count + (before?.count ?? 0),
      firstMs: Math.min(happened.firstMs, before?.firstMs ?? Infinity),
      lastMs: Math.max(happened.lastMs, before?.lastMs ?? -Infinity),
    });
  }

  #takeDue(): readonly Pending[] {
    const nowMs = this.#ports.clock.monotonicMs();
    for (const [name, writtenMs] of this.#writtenMs)
      if (writtenMs + EVENT_WRITE_INTERVAL_MS <= nowMs) this.#writtenMs.delete(name);
    const due = [...this.#pending.values()].filter(({ name }) => !this.#writtenMs.has(name));
    for (const { name } of due) {
      this.#pending.delete(name);
      this.#writtenMs.set(name, nowMs);
    }
    return due;
  }

  async #write(pending: Pending): Promise<void> {
    try {
      const { outcome } = await this.#ports.writer.commit([this.#operation(pending)], AUTHOR);
      if (outcome === 'conflict') this.#add(pending);
    } catch (error) {
      this.#ports.log.warn(
        { error: String(error), event: pending.name },
        'writing an event failed',
      );
      this.#add(pending);
    }
  }

  #operation({ name, note, count, firstMs, lastMs }: Pending): Operation {
    const { metadata } = note.regarding;
    const namespace = metadata.namespace ?? DEFAULT_NAMESPACE;
    const known = this.#ports.world.get('Event', { namespace, name });
    const lastTime = new Date(lastMs).toISOString();
    if (known !== undefined) {
      const spec: EventSpec = { ...known.spec, count: known.spec.count + count, lastTime };
      const next: Event = { ...known, spec };
      return { kind: 'replace', base: known, next };
    }
    const spec: EventSpec = {
      regarding: {
        kind: note.regarding.kind,
        ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
        name: metadata.name,
        uid: metadata.uid,
      },
      type: note.type,
      reason: note.reason,
      message: note.message.slice(0, EVENT_MESSAGE_MAX),
      source: note.source,
      count,
      firstTime: new Date(firstMs).toISOString(),
      lastTime,
    };
    return { kind: 'create', object: { kind: 'Event', metadata: { name, namespace }, spec } };
  }

  /** Until an entry is due, or something new happened. */
  async #idle(signal: AbortSignal): Promise<void> {
    this.#wake = new AbortController();
    const woken = AbortSignal.any([signal, this.#wake.signal]);
    const nowMs = this.#ports.clock.monotonicMs();
    const dueMs = [...this.#pending.keys()].map(
      (name) =>
        (this.#writtenMs.get(name) ?? nowMs - EVENT_WRITE_INTERVAL_MS) + EVENT_WRITE_INTERVAL_MS,
    );
    if (dueMs.length === 0) return aborted(woken);
    const waitMs = Math.max(0, Math.min(...dueMs) - nowMs);
    await this.#ports.clock.sleep(waitMs, woken).catch(() => undefined);
  }
}

interface EventPorts {
  readonly world: World;
  readonly writer: Writer;
  readonly clock: Clock;
  readonly log: Log;
}

interface Pending {
  readonly name: string;
  readonly note: EventNote;
  readonly count: number;
  readonly firstMs: number;
  readonly lastMs: number;
}

/** The start of the object's name that an Event's name shows; names have at most 253 characters. */
const SHOWN_NAME_MAX = 200;

/** The same for the same thing within one hour: a repeat finds it, also after a restart. */
export function eventName(note: EventNote, nowMs: number): string {
  const { name, uid } = note.regarding.metadata;
  const series = Math.floor(nowMs / EVENT_SERIES_MS);
  const same = [uid, note.reason, note.message, note.source.component, note.source.node, series];
  const hash = createHash('sha256').update(JSON.stringify(same)).digest('hex').slice(0, 16);
  return `${name.slice(0, SHOWN_NAME_MAX).replace(/[-.]+$/, '')}.${hash}`;
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) =>
    signal.addEventListener('abort', () => resolve(), { once: true }),
  );
}
