import { type Link, LinkClosedError } from '../../runtime/session/link.ts';
import type { Scheduler } from '../engine/scheduler.ts';
import { Channel } from './channel.ts';

export type WireEnd = 'sub' | 'dom';

/** What befalls a frame: decided anew for each. */
export type FrameFate =
  | { readonly kind: 'delivered'; readonly latencyMs: number }
  /** Gone, and with it the link: both ends learn so after that time; Infinity: never. */
  | { readonly kind: 'lost'; readonly noticedAfterMs: number }
  /** Gone, and all that follows it this way; the other way goes on, and nobody is told. */
  | { readonly kind: 'silenced' };

export interface WirePorts {
  readonly scheduler: Scheduler;
  /** Frames that may be on their way or wait to be read before `send` says false. */
  readonly windowFrames: number;
  readonly fate: (from: WireEnd, sizeBytes: number) => FrameFate;
  /** Whether what that end has sent gets through by now. */
  readonly passes: (from: WireEnd) => boolean;
  /** Told of every frame that is sent, and how many were sent although `send` had said false. */
  readonly onFrame: (from: WireEnd, frame: Uint8Array, excessFrames: number) => void;
}

/** A link between two hosts: frames take their time and keep their order. */
export class Wire {
  readonly sub: Link;
  readonly dom: Link;
  /** Resolves once nobody reads at either end any more. */
  readonly over: Promise<void>;
  readonly #ports: WirePorts;
  readonly #toDom: Channel;
  readonly #toSub: Channel;
  #phase: 'whole' | 'broken' = 'whole';

  constructor(ports: WirePorts) {
    this.#ports = ports;
    const { scheduler, passes } = ports;
    this.#toDom = new Channel({ scheduler, passes: () => passes('sub') });
    this.#toSub = new Channel({ scheduler, passes: () => passes('dom') });
    this.over = Promise.all([this.#toDom.ended, this.#toSub.ended]).then(() => undefined);
    this.sub = this.#end('sub', this.#toDom, this.#toSub);
    this.dom = this.#end('dom', this.#toSub, this.#toDom);
  }

  /**
   * What is sent from now on is lost, and perhaps what is on its way; both ends learn so after that
   * time, or never (Infinity).
   */
  break(options: {
    readonly noticedAfterMs: number;
    readonly inFlight: 'arrives' | 'lost';
    /** What an end that notices is told. */
    readonly message?: string;
  }): void {
    if (this.#phase === 'broken') return;
    this.#phase = 'broken';
    const { noticedAfterMs, inFlight, message = 'the connection broke' } = options;
    for (const channel of [this.#toDom, this.#toSub]) channel.silence({ inFlight });
    if (noticedAfterMs === Infinity) return;
    this.#ports.scheduler.after(noticedAfterMs, () => {
      const error = new LinkClosedError('lost', message);
      for (const channel of [this.#toDom, this.#toSub]) channel.end(error);
    });
  }

  /** The node hears this besides what dom sends over this link. */
  echo(frame: Uint8Array): void {
    if (!this.#toSub.over) this.#toSub.carry({ kind: 'frame', bytes: frame.slice() }, 0);
  }

  #end(name: WireEnd, outgoing: Channel, incoming: Channel): Link {
    const { windowFrames, onFrame } = this.#ports;
    let excessFrames = 0;
    return {
      send: (frame) => {
        if (outgoing.over) return true;
        excessFrames = outgoing.pending < windowFrames ? 0 : excessFrames + 1;
        onFrame(name, frame, excessFrames);
        const latencyMs = this.#latencyMs(name, outgoing, frame.length);
        // A copy: the sender may use its buffer again, as it may with a socket.
        outgoing.carry({ kind: 'frame', bytes: frame.slice() }, latencyMs);
        return outgoing.pending < windowFrames;
      },
      drained: () => outgoing.drained(),
      frames: () => incoming.frames(),
      close: (error) => {
        if (!outgoing.over) outgoing.close(error, this.#latencyMs(name, outgoing));
        incoming.abandon();
      },
    };
  }

  /** How long what is sent now takes; where it is lost, the channel knows so from here on. */
  #latencyMs(from: WireEnd, channel: Channel, sizeBytes = 0): number {
    if (this.#phase === 'broken') return 0;
    const fate = this.#ports.fate(from, sizeBytes);
    switch (fate.kind) {
      case 'delivered':
        return fate.latencyMs;
      case 'lost':
        this.break({ noticedAfterMs: fate.noticedAfterMs, inFlight: 'arrives' });
        return 0;
      case 'silenced':
        channel.silence({ inFlight: 'arrives' });
        return 0;
    }
  }
}
