/** Who asks a nameserver, and how. */
export interface DnsPeer {
  /** Text of an IPv4 or IPv6 address. */
  readonly address: string;
  /** The same as 4 or 16 bytes, where they are at hand; left out: the text says it. */
  readonly bytes?: Uint8Array | undefined;
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

/** A query that came in a datagram, and room for its answer. */
export interface DnsDatagram {
  /** The query is the first `queryBytes` of these; what lies behind them is of other queries. */
  readonly query: Buffer;
  readonly queryBytes: number;
  readonly peer: DnsPeer;
  /** Where the answer is to be written; holds anything before. */
  readonly reply: Buffer;
}

/**
 * Writes the answer into the datagram's `reply` and returns its length; 0: say nothing. All of the
 * datagram is lent until this returns. Must not block; a throw is reported and costs only that
 * query.
 */
export type DatagramAnswerer = (datagram: DnsDatagram) => number;

/** An answerer of datagrams that gives each query to `answer`, as bytes that it may keep. */
export function datagramAnswerer(answer: DnsAnswerer): DatagramAnswerer {
  return ({ query, queryBytes, peer: { address, transport }, reply }) =>
    writeReply(answer(Buffer.from(query.subarray(0, queryBytes)), { address, transport }), reply);
}

/**
 * Writes a reply into the room for it, unless it is there already; returns its length, 0 for none.
 *
 * Errors: throws when it has no room.
 */
export function writeReply(reply: DnsReply | undefined, room: Buffer): number {
  if (reply === undefined) return 0;
  // Several messages fit no datagram; whoever answers so has a bug, which harms nobody.
  if (!(reply instanceof Uint8Array)) {
    reply.end();
    return 0;
  }
  if (reply.length > room.length) throw new RangeError(`EMSGSIZE: ${reply.length} bytes`);
  if (reply.buffer !== room.buffer || reply.byteOffset !== room.byteOffset) room.set(reply);
  return reply.length;
}
