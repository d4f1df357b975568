import { type Link, LinkClosedError } from './link.ts';

/** A link within one process, with the faults of a wire, for unit tests. */
export interface LinkPair {
  readonly sub: Link;
  readonly dom: Link;
  /** The wire breaks and both ends notice. */
  cut(): void;
  /** The wire breaks and nobody notices: from now on frames vanish (a half-open link). */
  mute(): void;
}

/** Two connected ends. */
export function linkPair(): LinkPair {
  const wire = { muted: false };
  const toDom = new Channel(wire);
  const toSub = new Channel(wire);
  return {
    sub: linkEnd(wire, toDom, toSub),
    dom: linkEnd(wire, toSub, toDom),
    cut: () => {
      const error = new LinkClosedError('lost', 'the wire was cut');
      toDom.end(error);
      toSub.end(error);
    },
    mute: () => {
      wire.muted = true;
    },
  };
}

interface Wire {
  readonly muted: boolean;
}

/** Frames that may wait to be read before `send` says false. */
const WAITING_FRAMES_MAX = 16;

function linkEnd(wire: Wire, outgoing: Channel, incoming: Channel): Link {
  return {
    send: (frame) => outgoing.send(frame),
    drained: () => outgoing.drained(),
    frames: () => incoming.frames(),
    close: (error) => {
      if (wire.muted) outgoing.abandon();
      else outgoing.end(error);
      // What this side has not read, it will not: it is the one that left.
      incoming.end(undefined);
    },
  };
}

/** One direction of a link. */
class Channel {
  readonly #wire: Wire;
  readonly #waiting: Uint8Array[] = [];
  #ended: { readonly error: LinkClosedError | undefined } | undefined;
  #changed = Promise.withResolvers<void>();

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  send(frame: Uint8Array): boolean {
    if (this.#ended !== undefined || this.#wire.muted) return true;
    // A copy: the sender may use its buffer again, as it may with a socket.
    this.#waiting.push(frame.slice());
    this.#notify();
    return this.#waiting.length < WAITING_FRAMES_MAX;
  }

  async drained(): Promise<void> {
    while (this.#waiting.length > 0 && this.#ended === undefined) await this.#changed.promise;
  }

  async *frames(): AsyncIterable<Uint8Array> {
    for (;;) {
      const frame = this.#waiting.shift();
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

  end(error: LinkClosedError | undefined): void {
    this.#ended ??= { error };
    this.#notify();
  }

  /** The sender has left and the reader will never know. */
  abandon(): void {
    this.#waiting.length = 0;
    this.#notify();
  }

  #notify(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
