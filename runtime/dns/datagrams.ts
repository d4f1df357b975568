export interface DatagramExchange {
  /** Text of an IPv4 or IPv6 address, and a port. */
  readonly address: string;
  readonly port: number;
  /** Addresses of this machine to send from, the preferred ones first; if none will do, any. */
  readonly from: readonly string[];
  readonly message: Uint8Array;
  /** Whether what came back is what is waited for. Must not throw. */
  readonly isReply: (message: Uint8Array) => boolean;
  readonly timeoutMs: number;
}

/**
 * One datagram there and one back over UDP, as a port.
 *
 * Guarantees: resolves to the first datagram from that very address and port that `isReply` takes;
 * to undefined when none has come in time, or soon after `signal` is aborted. Each exchange has a
 * socket of its own, whose port is hard to guess.
 * Caveats: either datagram may be lost, or come twice; a forged one looks like any other.
 * Errors: none; what cannot be sent is not answered.
 */
export interface Datagrams {
  exchange(exchange: DatagramExchange, signal: AbortSignal): Promise<Uint8Array | undefined>;
}
