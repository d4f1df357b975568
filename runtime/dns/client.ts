import { isIpv4, isIpv6 } from '../../api/address.ts';

/**
 * Record types that the check of a delegation asks for, or that come along (RFC 1035 §3.2.2, RFC
 * 3596, RFC 4034, RFC 7344).
 */
export const DnsType = {
  A: 1,
  NS: 2,
  SOA: 6,
  AAAA: 28,
  OPT: 41,
  DS: 43,
  RRSIG: 46,
  DNSKEY: 48,
  CDS: 59,
} as const;
export type DnsType = (typeof DnsType)[keyof typeof DnsType];

export interface DnsRecord {
  /** Lower case, without a final dot; "." for the root. */
  readonly name: string;
  readonly type: number;
  readonly ttlS: number;
  /**
   * As in a zone file, names lower case and without a final dot: "192.0.2.1", "ns1.example.net",
   * "12345 13 2 ab…"; of DNSKEY, RRSIG and types that are not asked for, the data in hex.
   */
  readonly text: string;
}

export interface DnsMessage {
  readonly id: number;
  readonly kind: 'query' | 'response';
  readonly rcode: number;
  /** AA: from the server's own data, not from a cache. */
  readonly source: 'authority' | 'other';
  /** TC: what there is to say did not fit. */
  readonly form: 'whole' | 'cut';
  /** Lower case; undefined: none, or more than one. */
  readonly question: { readonly name: string; readonly type: number } | undefined;
  readonly answer: readonly DnsRecord[];
  readonly authority: readonly DnsRecord[];
  readonly additional: readonly DnsRecord[];
}

export interface DnsServer {
  /** Text of an IPv4 or IPv6 address. */
  readonly address: string;
  readonly port: number;
}

/** `192.0.2.1`, `192.0.2.1:5300`, `2001:db8::1` or `[2001:db8::1]:5300`; undefined: none of these. */
export function parseDnsServer(text: string): DnsServer | undefined {
  if (isIpv4(text) || isIpv6(text)) return { address: text, port: DNS_PORT };
  const [, bracketed, plain, digits = ''] = /^(?:\[(.+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const address = bracketed ?? plain ?? '';
  const port = Number(digits);
  const isAddress = bracketed === undefined ? isIpv4(address) : isIpv6(address);
  return isAddress && port > 0 && port < 65_536 ? { address, port } : undefined;
}

export const DNS_PORT = 53;

export type DnsTransport = 'udp' | 'tcp' | 'tls';

export interface DnsAsked {
  readonly name: string;
  readonly type: DnsType;
  readonly server: DnsServer;
  readonly transport: DnsTransport;
  /** Whether the server may ask others (RD). */
  readonly recursion: 'wished' | 'unwished';
}

/** Why there is no answer; `no-route`: this machine has no way to such addresses. */
export type DnsSilence = 'no-route' | 'refused' | 'timeout' | 'broken';

export class DnsError extends Error {
  readonly silence: DnsSilence;

  constructor(silence: DnsSilence, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.name = 'DnsError';
    this.silence = silence;
  }
}

/**
 * Asks one server one question, as a port.
 *
 * Guarantees: settles within a bound, or soon after `signal` is aborted. What is answered has the
 * id and the question of what was asked; anything else that arrives is left aside. Over UDP a lost
 * datagram is sent again; an answer that is cut is returned as it is.
 * Errors: `DnsError`.
 */
export interface DnsClient {
  ask(asked: DnsAsked, signal: AbortSignal): Promise<DnsMessage>;
}
