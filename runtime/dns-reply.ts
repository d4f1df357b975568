/** Who asks a nameserver, and how. */
export interface DnsPeer {
  /** Text of an IPv4 or IPv6 address. */
  readonly address: string;
  /** `tls`: DNS over TLS (RFC 7858). */
  readonly transport: 'udp' | 'tcp' | 'tls';
}

/**
 * How long a stream connection may be idle (RFC 7766 §6.2.3), which clients that ask are told
 * (RFC 7828).
 */
export const STREAM_IDLE_MS = 10_000;

/**
 * Several messages that answer one query, made one at a time as the peer reads them: a zone of any
 * size is sent in the memory of one message.
 *
 * Guarantees wanted of whoever reads: `end` is called exactly once, after the last `next`, also
 * when the peer went away in between.
 */
export interface DnsStream {
  /** Undefined: that was all. A throw ends the connection, for half an answer is none. */
  next(): Uint8Array | undefined;
  end(): void;
}

/** A stream is never the answer to a datagram. */
export type DnsReply = Uint8Array | DnsStream;

/** Undefined: say nothing. Must not block; a throw is reported and costs only that query. */
export type DnsAnswerer = (query: Uint8Array, peer: DnsPeer) => DnsReply | undefined;
