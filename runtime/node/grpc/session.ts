import type { handleBidiStreamingCall, ServerDuplexStream } from '@grpc/grpc-js';
import { Metadata, status } from '@grpc/grpc-js';
import { AgentServiceService } from '../../../proto/gen/b8s/v1/agent.ts';
import type { Caller } from '../../caller.ts';
import { type Link, LinkClosedError } from '../../session/link.ts';
import { callerOf } from './handlers.ts';

/**
 * AgentService with a Session of raw frames: both ends of a Link encode and decode by themselves,
 * so that the simulation runs the same codec.
 */
export const rawAgentService = {
  ...AgentServiceService,
  session: {
    ...AgentServiceService.session,
    requestSerialize: sameBytes,
    requestDeserialize: sameBytes,
    responseSerialize: sameBytes,
    responseDeserialize: sameBytes,
  },
} as const;

/** The handler of Session: hands each new link to `accept`, which must not throw. */
export function sessionHandler(
  accept: (link: Link, caller: Caller) => void,
): handleBidiStreamingCall<Buffer, Buffer> {
  return (call) => accept(sessionLink(call), callerOf(call));
}

/**
 * Dom's half of a Link over one Session call.
 *
 * Caveats: `close` reaches a peer only once it has read what was sent before; until then it is
 * merely silent.
 */
export function sessionLink(call: ServerDuplexStream<Buffer, Buffer>): Link {
  return new ServerLink(call);
}

class ServerLink implements Link {
  readonly #call: ServerDuplexStream<Buffer, Buffer>;
  /** `ended`: by either side, cleanly or by us; `lost`: the call was cut. */
  #phase: 'open' | 'ended' | 'lost' = 'open';
  /** Frames that the transport has not taken yet. */
  #pending = 0;
  /** Woken whenever something arrives, is taken, or the link ends. */
  readonly #waiters = new Set<() => void>();

  constructor(call: ServerDuplexStream<Buffer, Buffer>) {
    this.#call = call;
    call.on('readable', () => this.#wake());
    call.on('end', () => this.#peerEnded());
    // Also follows a call that has ended well.
    call.on('cancelled', () => this.#end('lost'));
  }

  /** A peer that vanished ends its half too: only then, though, the call is found cancelled. */
  #peerEnded(): void {
    this.#call.sendMetadata(new Metadata());
    setImmediate(() => this.close());
  }

  send(frame: Uint8Array): boolean {
    if (this.#phase !== 'open') return true;
    this.#pending += 1;
    return this.#call.write(bufferOf(frame), () => {
      this.#pending -= 1;
      if (this.#pending === 0) this.#wake();
    });
  }

  async drained(): Promise<void> {
    while (this.#phase === 'open' && this.#pending > 0) await this.#change();
  }

  async *frames(): AsyncGenerator<Uint8Array> {
    while (this.#phase === 'open') {
      const frame: Buffer | null = this.#call.read();
      if (frame === null) await this.#change();
      else yield frame;
    }
    if (this.#phase === 'lost') {
      throw new LinkClosedError('lost', 'the connection of the node was lost');
    }
  }

  close(error?: LinkClosedError): void {
    if (this.#phase !== 'open') return;
    this.#end('ended');
    if (error === undefined) {
      this.#call.end();
      return;
    }
    const code = error.reason === 'refused' ? status.FAILED_PRECONDITION : status.UNAVAILABLE;
    const details = error.message.toWellFormed().slice(0, DETAILS_CHARACTERS_MAX);
    this.#call.emit('error', { code, details });
  }

  #end(phase: 'ended' | 'lost'): void {
    if (this.#phase === 'open') this.#phase = phase;
    this.#wake();
  }

  /** Resolves at the next wake-up; the caller looks what it was. */
  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiters.add(resolve));
  }

  #wake(): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const wake of waiters) wake();
  }
}

const DETAILS_CHARACTERS_MAX = 2 * 1024;

function sameBytes(bytes: Buffer): Buffer {
  return bytes;
}

/** grpc-js copies from Buffers only. */
function bufferOf(frame: Uint8Array): Buffer {
  return Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
}
