import type { LinkClosedError } from '../../runtime/session/link.ts';
import type { Scheduler } from '../engine/scheduler.ts';

export interface ChannelPorts {
  readonly scheduler: Scheduler;
  /** Whether anything gets through by now; what does not is sent again later. */
  readonly passes: () => boolean;
}

/** What is sent over a channel: a frame, or that its sender has closed. */
export type Item =
  | { readonly kind: 'frame'; readonly bytes: Uint8Array }
  | { readonly kind: 'end'; readonly error: LinkClosedError | undefined };

/** As TCP does it: twice as long after each try (RFC 6298 §5.5). */
const RESEND_MS = { first: 300, max: 8_000 } as const;

/**
 * One direction of a link: a queue that keeps its order. What cannot pass holds up all that comes
 * after it, until it can.
 */
export class Channel {
  /** The sender has closed, or its link has ended. */
  over = false;
  readonly #ports: ChannelPorts;
  readonly #travelling: { readonly item: Item; readonly dueMs: number }[] = [];
  readonly #arrived: Uint8Array[] = [];
  /** `silent`: what is sent from now on never arrives. */
  #phase: 'open' | 'silent' = 'open';
  /** What went silent with it, and still fills the sender's buffer. */
  #swallowed = 0;
  readonly #ending = Promise.withResolvers<void>();
  #ended: { readonly error: LinkClosedError | undefined } | undefined;
  #changed = Promise.withResolvers<void>();
  #lastDueMs = 0;
  #resendMs: number = RESEND_MS.first;

  constructor(ports: ChannelPorts) {
    this.#ports = ports;
  }

  /** Resolves once the reader has learnt that no more will come. */
  get ended(): Promise<void> {
    return this.#ending.promise;
  }

  /** Frames that were sent and have not been read. */
  get pending(): number {
    return this.#travelling.length + this.#swallowed + this.#arrived.length;
  }

  carry(item: Item, latencyMs: number): void {
    if (this.#ended !== undefined) return;
    if (this.#phase === 'silent') {
      this.#swallowed += 1;
      return;
    }
    this.#lastDueMs = Math.max(this.#lastDueMs, this.#ports.scheduler.nowMs + latencyMs);
    this.#travelling.push({ item, dueMs: this.#lastDueMs });
    if (this.#travelling.length === 1) this.#awaitFirst();
  }

  /** Resolves once all that was sent has been read, or nobody waits for it any more. */
  async drained(): Promise<void> {
    while (this.pending > 0 && !this.over) await this.#changed.promise;
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

  /** The sender closes: the reader learns so after all that was sent. */
  close(error: LinkClosedError | undefined, latencyMs: number): void {
    if (this.over) return;
    this.carry({ kind: 'end', error }, latencyMs);
    this.over = true;
    this.#notify();
  }

  /** The reader wants no more, not even what has arrived. */
  abandon(): void {
    this.#arrived.length = 0;
    this.end(undefined);
  }

  /** The reader learns at once that no more comes. */
  end(error: LinkClosedError | undefined): void {
    if (this.#ended !== undefined) return;
    this.over = true;
    this.#ended = { error };
    this.#notify();
    this.#ending.resolve();
  }

  /** Nothing that is sent from now on arrives; what is on its way does, or is lost as well. */
  silence({ inFlight }: { readonly inFlight: 'arrives' | 'lost' }): void {
    this.#phase = 'silent';
    if (inFlight === 'lost') this.#swallowed += this.#travelling.splice(0).length;
  }

  #awaitFirst(): void {
    const [first] = this.#travelling;
    if (first === undefined) return;
    const { scheduler } = this.#ports;
    scheduler.after(first.dueMs - scheduler.nowMs, () => this.#arrive());
  }

  #arrive(): void {
    if (this.#travelling.length === 0 || this.#ended !== undefined) return;
    if (!this.#ports.passes()) {
      this.#ports.scheduler.after(this.#resendMs, () => this.#arrive());
      this.#resendMs = Math.min(RESEND_MS.max, 2 * this.#resendMs);
      return;
    }
    this.#resendMs = RESEND_MS.first;
    const item = this.#travelling.shift()?.item;
    if (item?.kind === 'end') return this.end(item.error);
    if (item !== undefined) this.#arrived.push(item.bytes);
    this.#notify();
    this.#awaitFirst();
  }

  #notify(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
