import { answerQuery } from '../answer.ts';
import { ask, type Decoded, lines, queryBytes, UDP_CLIENT } from '../dns.fixture.ts';
import type { DnsSnapshot } from '../snapshot.ts';

/** What a reply says, in the order in which it is written; left out: nothing. */
export interface Said {
  readonly rcode?: string;
  readonly aa?: boolean;
  readonly answers?: readonly string[];
  readonly authorities?: readonly string[];
  readonly additionals?: readonly string[];
}

/** For `toEqual`: all sections, as `owner TYPE data`. */
export function said(reply: Decoded): Required<Said> {
  return {
    rcode: reply.rcode ?? '',
    aa: reply.flag_aa,
    answers: lines(reply.answers),
    authorities: lines(reply.authorities),
    additionals: lines(reply.additionals?.filter(({ type }) => type !== 'OPT')),
  };
}

/** What a table leaves out. */
export function whole(given: Said): Required<Said> {
  const empty = { answers: [], authorities: [], additionals: [] };
  return { rcode: 'NOERROR', aa: true, ...empty, ...given };
}

export function askFor(snapshot: DnsSnapshot, name: string, type: string): Required<Said> {
  return said(ask(snapshot, queryBytes(name, type)));
}

/** The reply as bytes; throws when there is none. */
export function rawReply(
  snapshot: DnsSnapshot,
  query: Uint8Array,
  transport: 'udp' | 'tcp' | 'tls' = 'udp',
): Buffer {
  const client = { ...UDP_CLIENT, transport };
  const reply = answerQuery(query, { snapshot, client, nowMs: 0 });
  if (reply === undefined) throw new Error('no reply');
  return Buffer.from(reply);
}

/** The options of a reply's OPT, `code hex` each; undefined: it has no OPT. */
export function optionsOf(reply: Decoded): readonly string[] | undefined {
  const opt = reply.additionals?.find(({ type }) => type === 'OPT');
  const { options } = (opt ?? {}) as { options?: { code: number; data: Buffer }[] };
  return options?.map(({ code, data }) => `${code} ${data.toString('hex')}`);
}

/** The response code with the bits that the OPT has of it (RFC 6891 §6.1.3). */
export function fullRcode(reply: Buffer, decoded: Decoded): number {
  const opt = decoded.additionals?.find(({ type }) => type === 'OPT');
  const { extendedRcode = 0 } = (opt ?? {}) as { extendedRcode?: number };
  return (extendedRcode << 4) | ((reply[3] ?? 0) & 0xf);
}
