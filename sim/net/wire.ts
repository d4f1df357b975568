import { type Link, LinkClosedError } from '../../runtime/link.ts';
import type { Scheduler } from '../engine/scheduler.ts';

/** What befalls a frame: decided anew for each. */
export type FrameFate =
  | { readonly kind: 'delivered'; readonly latencyMs: number }
  /** Gone, and with it the link: both ends learn so after that time; Infinity: never. */
  | { readonly kind: 'lost'; readonly noticedAfterMs: number };

export interface WirePorts {
  readonly scheduler: Scheduler;
  readonly fate: () => FrameFate;
  /** Told of every frame that is sent. */
  readonly onFrame: (from: 'sub' | 'dom', frame: Uint8Array) => void;
}

/** Frames that may be on their way or wait to be read before `send` says false. */
const PENDING_FRAMES_MAX = 16;

/**
 * A link between two hosts: frames take their time and keep their order; the first one that is lost
 * is the end, noticed or not.
 */
export class Wire {
  readonly sub: Link;
  readonly dom: Link;
  readonly #ports: WirePorts;
  readonly #toDom: Channel;
  readonly #toSub: Channel;
  #phase: 'whole' | 'broken' = 'whole';

  constructor(ports: WirePorts) {
    this.#ports = ports;
    this.#toDom = new Channel(ports.scheduler);
    this.#toSub = new Channel(ports.scheduler);
    this.sub = this.#end('sub', this.#toDom, this.#toSub);
    this.dom = this.#end('dom', this.#toSub, this.#toDom);
  }

  /** From now on nothing passes; both ends learn so after that time, or never (Infinity). */
  break(noticedAfterMs: number): void {
    if (this.#phase === 'broken') return;
    this.#phase = 'broken';
    this.#toDom.drop();
    this.#toSub.drop();
    if (noticedAfterMs === Infinity) return;
    this.#ports.scheduler.after(noticedAfterMs, () => {
      const error = new LinkClosedError('lost', 'the connection broke');
      this.#toDom.endNow(error);
      this.#toSub.endNow(error);
    });
  }

  #end(name: 'sub' | 'dom', outgoing: Channel, incoming: Channel): Link {
    return {
      send: (frame) => {
        if (outgoing.over) return true;
        this.#ports.onFrame(name, frame);
        // A copy: the sender may use its buffer again, as it may with a socket.
        this.#carry(outgoing, { kind: 'frame', bytes: frame.slice() });
        return outgoing.pending < PENDING_FRAMES_MAX;
      },
      drained: () => outgoing.drained(),
      frames: () => incoming.frames(),
      close: (error) => {
        if (!outgoing.over) this.#carry(outgoing, { kind: 'end', error });
        outgoing.over = true;
        // What is on its way here still arrives; what comes later, nobody reads.
        incoming.endAfterPending();
      },
    };
  }

  #carry(channel: Channel, item: Item): void {
    if (this.#phase === 'broken') return;
    const fate = this.#ports.fate();
    if (fate.kind === 'lost') this.break(fate.noticedAfterMs);
    else channel.carry(item, fate.latencyMs);
  }
}

type Item =
  | { readonly kind: 'frame'; readonly bytes: Uint8Array }
  | { readonly kind: 'end'; readonly error: LinkClosedError | undefined };

/** One direction. */
class Channel {
  /** The sender has closed. */
  over = false;
  readonly #scheduler: Scheduler;
  readonly #travelling: Item[] = [];
  readonly #arrived: Uint8Array[] = [];
  #ended: { readonly error: LinkClosedError | undefined } | undefined;
  #changed = Promise.withResolvers<void>();
  #lastArrivalMs = 0;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  get pending(): number {
    return this.#travelling.length + this.#arrived.length;
  }

  carry(item: Item, latencyMs: number): void {
    const { nowMs } = this.#scheduler;
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, nowMs + latencyMs);
    this.#travelling.push(item);
    // Whichever of these events comes first takes the first item: the order stays.
    this.#scheduler.after(this.#lastArrivalMs - nowMs, () => this.#arrive());
  }

  async drained(): Promise<void> {
    while (this.pending > 0 && this.#ended === undefined) await this.#changed.promise;
  }

  async *frames(): AsyncIterable<Uint8Array> {
    for (;;) {
      const frame = this.#arrived.shift();
      if (frame !== undefined) {
        this.#notify();
        yield frame;
      } else if (this.#ended === undefined) {
        await this.#changed.promise;
      } else {
        if (this.#ended.error !== undefined) throw this.#ended.error;
        return;
      }
    }
  }

  endNow(error: LinkClosedError | undefined): void {
    this.over = true;
    this.#ended ??= { error };
    this.#notify();
  }

  endAfterPending(): void {
    if (this.#travelling.length === 0) this.endNow(undefined);
    else this.carry({ kind: 'end', error: undefined }, 0);
  }

  /** Whatever travels is gone. */
  drop(): void {
    this.#travelling.length = 0;
  }

  #arrive(): void {
    const item = this.#travelling.shift();
    if (item === undefined || this.#ended !== undefined) return;
    if (item.kind === 'end') return this.endNow(item.error);
    this.#arrived.push(item.bytes);
    this.#notify();
  }

  #notify(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
