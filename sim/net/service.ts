import type { Process } from '../engine/process.ts';
import type { Scheduler } from '../engine/scheduler.ts';
import type { Trace } from '../engine/trace.ts';
import type { Route, Ways } from './ways.ts';
import { whenKilled } from './when-killed.ts';

/** What a process on a host does for others that ask it over the network. */
export interface Offer<Request, Piece> {
  readonly process: Process;
  /** Runs in that process. What it throws, the caller gets. */
  handle(request: Request): AsyncIterable<Piece>;
}

export interface Call<Request> extends Route {
  /** Whose call it is: it ends with its caller. */
  readonly process: Process;
  readonly request: Request;
  readonly signal: AbortSignal;
}

/** What befalls the answer of one service, by now; per piece. */
export interface ServiceFaults {
  /** The stream breaks, and the caller learns so. */
  readonly cut: number;
  /** Nothing comes any more, and the caller is not told. */
  readonly hang: number;
}

export interface ServiceOptions<Piece> {
  /** For messages: "blobs". */
  readonly name: string;
  readonly sizeBytes: (piece: Piece) => number;
  readonly faults: () => ServiceFaults;
}

export interface ServicePorts {
  readonly scheduler: Scheduler;
  readonly ways: Ways;
  /** True with that probability. */
  readonly chance: (probability: number) => boolean;
  readonly trace: Trace;
}

/**
 * Requests over the network with streams as answers: one kind of service, which processes on any
 * number of hosts offer.
 *
 * Guarantees: the pieces of an answer arrive in order, each once; nothing arrives after a fault.
 * The handler runs only while its process does, and stops being asked when its caller has gone.
 * Errors: `call` throws when nobody can be reached, the stream breaks, or the handler does; where
 * nothing answers at all, only the signal ends it.
 */
export class Service<Request, Piece> {
  readonly #ports: ServicePorts;
  readonly #options: ServiceOptions<Piece>;
  readonly #offers = new Map<string, Offer<Request, Piece>>();

  constructor(ports: ServicePorts, options: ServiceOptions<Piece>) {
    this.#ports = ports;
    this.#options = options;
  }

  /** From now on this process answers there. */
  offer(host: string, offer: Offer<Request, Piece>): void {
    this.#offers.set(host, offer);
  }

  async *call(call: Call<Request>): AsyncGenerator<Piece> {
    const offer = await this.#reach(call);
    const pieces = piecesOf(offer, call.request);
    const broken = this.#broken(offer.process, call);
    const leave = (): void => {
      broken.forget();
      pieces.leave();
    };
    const forget = whenKilled(call.process, leave);
    try {
      for (let count = 0; ; count += 1) {
        const next = await Promise.race([pieces.next(), broken.promise]);
        if (next.done === true) return;
        await Promise.race([this.#carry(call, next.value, count), broken.promise]);
        yield next.value;
      }
    } finally {
      forget();
      leave();
    }
  }

  async #reach(call: Call<Request>): Promise<Offer<Request, Piece>> {
    const { ways, trace } = this.#ports;
    const known = trace.known(call.from);
    const offer = (): Offer<Request, Piece> | undefined => {
      const known = this.#offers.get(call.to);
      return known?.process.alive === true ? known : undefined;
    };
    const contact = await ways.contact(call, () => offer() !== undefined);
    call.signal.throwIfAborted();
    if (contact === 'silent') return ways.silence(call.signal);
    const reached = offer();
    if (contact === 'connected' && reached !== undefined) {
      trace.learns(call.to, known);
      return reached;
    }
    throw new Error(`ask ${call.to} for ${this.#options.name}: connection refused`);
  }

  /** One piece on its way back; `count`: of those before it. */
  async #carry(call: Call<Request>, piece: Piece, count: number): Promise<void> {
    const { ways, chance, trace } = this.#ports;
    const { faults, sizeBytes } = this.#options;
    const { from, to, signal } = call;
    if (chance(faults().hang)) {
      this.#happens(call, 'hangs');
      return ways.silence(signal);
    }
    const isCut = chance(faults().cut);
    const known = trace.known(call.to);
    // What comes after the first piece is on its way already.
    const crossings = count === 0 ? 1 : 0;
    await ways.travel({ from: to, to: from }, { bytes: sizeBytes(piece), crossings });
    const passes = ways.connects(call);
    if (passes && !isCut) return trace.learns(from, known);
    this.#happens(call, 'breaks');
    if (!passes && chance(0.5)) return ways.silence(signal);
    throw new Error(`ask ${to} for ${this.#options.name}: the stream broke`);
  }

  /** Rejects when the signal is aborted, or it is noticed that the other process has gone. */
  #broken(process: Process, call: Call<Request>) {
    const { scheduler, ways } = this.#ports;
    const { signal } = call;
    const { promise, reject } = Promise.withResolvers<never>();
    // Mostly it comes to nothing, or to nobody.
    promise.catch(() => undefined);
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    const forgetKill = whenKilled(process, () => {
      const noticeMs = ways.noticeMs(call);
      if (noticeMs === Infinity) return;
      const error = new Error(`ask ${call.to} for ${this.#options.name}: it has gone`);
      scheduler.after(noticeMs, () => reject(error));
    });
    const forget = (): void => {
      signal.removeEventListener('abort', abort);
      forgetKill();
    };
    return { promise, forget };
  }

  #happens({ from, to }: Call<Request>, what: string): void {
    const { name } = this.#options;
    const line = `${name} of ${to} for ${from}: the stream ${what}`;
    this.#ports.trace.add('network', line, { kind: 'fault' });
  }
}

/** Asked for only when their process has a moment, which it has not while it stands still. */
function piecesOf<Request, Piece>(
  { process, handle }: Offer<Request, Piece>,
  request: Request,
): { next(): Promise<IteratorResult<Piece>>; leave(): void } {
  let pieces: AsyncIterator<Piece> | undefined;
  const turn = (): Promise<void> => process.promise(Promise.resolve());
  return {
    next: async () => {
      await turn();
      pieces ??= handle(request)[Symbol.asyncIterator]();
      return process.promise(pieces.next());
    },
    leave: () => {
      void turn()
        .then(() => pieces?.return?.())
        .catch(() => undefined);
    },
  };
}
