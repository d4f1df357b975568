import { parsePeerAddress } from './address.ts';
import { type ClientSubnet, subnetAddress } from './edns.ts';
import { parseQuery } from './message.ts';
import { bareReply } from './reply.ts';
import { resolve, type Vantage } from './resolve.ts';
import { replySizeMax, writeReply } from './response.ts';
import type { DnsSnapshot } from './snapshot.ts';

/** Who asked, as the socket says. */
export interface DnsClient {
  /** Text of an IPv4 or IPv6 address. */
  readonly address: string;
  readonly transport: 'udp' | 'tcp' | 'tls';
}

export interface AnswerContext {
  readonly snapshot: DnsSnapshot;
  readonly client: DnsClient;
  /** Wall time. Nothing in an answer depends on it yet; signatures and cookies will. */
  readonly nowMs: number;
}

/**
 * The reply to one message: a pure function of its bytes, the snapshot, the client and the time.
 * Undefined: say nothing, for it is no query (INV-25). Never throws, whatever the bytes.
 */
export function answerQuery(query: Uint8Array, context: AnswerContext): Uint8Array | undefined {
  const { snapshot, client } = context;
  const parsed = parseQuery(Buffer.from(query.buffer, query.byteOffset, query.byteLength));
  if (parsed.kind === 'ignored') return undefined;
  const { envelope } = parsed;
  const sizeMax = replySizeMax(envelope, client.transport);
  if (parsed.kind === 'rejected') return writeReply(envelope, bareReply(parsed.rcode), sizeMax);
  const vantage = vantageOf(client.address, envelope.edns?.clientSubnet);
  const { reply } = resolve(snapshot, parsed.question, vantage);
  return writeReply(envelope, reply, sizeMax);
}

/** The subnet that a resolver speaks for, or else the resolver itself (RFC 7871 §7.2.1). */
function vantageOf(peer: string, subnet: ClientSubnet | undefined): Vantage {
  const asked = subnet === undefined ? undefined : subnetAddress(subnet);
  if (subnet !== undefined && asked !== undefined) {
    return { address: asked, knownBits: subnet.sourceBits };
  }
  const address = parsePeerAddress(peer) ?? new Uint8Array(4);
  return { address, knownBits: 8 * address.length };
}
