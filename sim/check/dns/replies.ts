import type { DnsReply } from '../../load/dns-client.ts';
import type { DnsQuery } from '../../load/dns-query.ts';
import type { Check, CheckPorts, DnsExchange } from '../check.ts';
import { queryOf, replyOf } from './exchange.ts';

const HEADER_BYTES = 12;
const UDP_BYTES_MIN = 512;
const UDP_BYTES_MAX = 1232;
const TCP_BYTES_MAX = 65_535;
/** What a client puts into a cookie, and with what a server adds (RFC 9018 §3). */
const OWN_BYTES = 8;
const COOKIE_BYTES = 24;

/**
 * INV-25: a query is answered, a response never; a reply repeats id, opcode and question, is no
 * larger than its reader takes, and says TC when something was left out: what is whole over UDP is
 * what comes over TCP at the same moment. Rubbish may be answered, within the same bounds.
 */
export function repliesCheck({ violated, reached, nowMs }: CheckPorts): Check {
  /** Cookies, in hex. */
  const givenBy = new Map<string, string>();
  let last: { readonly exchange: DnsExchange; readonly atMs: number } | undefined;
  return {
    asked(exchange) {
      const atMs = nowMs();
      const before = last?.atMs === atMs ? last.exchange : undefined;
      last = { exchange, atMs };
      const problem = problemOf(exchange, before);
      const { nameserver, query, transport } = exchange;
      const text = Buffer.from(query).toString('hex');
      if (problem !== undefined)
        violated(25, `${nameserver} answers ${text} over ${transport}: ${problem}`);
      const [sent, got] = [queryOf(exchange)?.cookie, tryToRead(exchange)?.cookie];
      if (got === undefined) return;
      const cookie = Buffer.from(got).toString('hex');
      // All nameservers take the cookies of any, for clients do not know which one they ask.
      const isKept = sent !== undefined && Buffer.compare(sent, got) === 0;
      if (isKept && givenBy.has(cookie) && givenBy.get(cookie) !== nameserver)
        reached('cookie of another nameserver');
      if (!isKept) givenBy.set(cookie, nameserver);
    },
  };
}

function problemOf(exchange: DnsExchange, before: DnsExchange | undefined): string | undefined {
  const { query, transport, reply: bytes, nameserver, client } = exchange;
  const asked = queryOf(exchange);
  const isQuery = query.length >= HEADER_BYTES && (query[2] ?? 0) < 0x80;
  if (bytes === undefined) return asked === undefined ? undefined : 'nothing';
  if (!isQuery) return 'something, though it is no query';
  const reply = tryToRead(exchange);
  if (reply === undefined) return `bytes that are no reply: ${Buffer.from(bytes).toString('hex')}`;
  const sizeMax = transport === 'tcp' ? TCP_BYTES_MAX : udpBytesMax(asked, reply);
  if (bytes.length > sizeMax) return `${bytes.length} bytes where ${sizeMax} are the most`;
  const isSame = before?.nameserver === nameserver && before.client === client;
  const isRepeated = isSame && Buffer.compare(before.query, query) === 0;
  const first = isRepeated ? replyOf(before) : undefined;
  return headerProblem(query, reply) ?? bodyProblem(query, asked, reply) ?? unlike(first, reply);
}

function headerProblem(
  query: Uint8Array,
  { id, kind, opcode, form, answer, authority, additional }: DnsReply,
): string | undefined {
  const header = Buffer.from(query);
  if (id !== header.readUInt16BE(0)) return `id ${id}`;
  if (kind !== 'response') return 'a query';
  if (opcode !== header.readUInt8(2) >> 3) return `opcode ${opcode}`;
  const isEmpty = answer.length + authority.length + additional.length === 0;
  return form === 'cut' && !isEmpty ? 'half of what there is' : undefined;
}

function bodyProblem(
  query: Uint8Array,
  asked: DnsQuery | undefined,
  { question, edns, cookie }: DnsReply,
): string | undefined {
  const sent = Buffer.from(query).subarray(HEADER_BYTES).toString('hex');
  if (!sent.startsWith(question)) return `question ${question}`;
  if (asked === undefined) return undefined;
  // A name of n characters takes n + 2 bytes, type and class four.
  if (question.length !== 2 * (asked.name.length + 6)) return `question ${question}`;
  const expected = asked.sizeBytes === undefined ? 'absent' : 'present';
  if (edns !== expected) return `EDNS is ${edns} in the reply, ${expected} in the query`;
  return cookieProblem(asked.cookie, cookie);
}

/**
 * RFC 7873 §5.2: who brings a cookie gets one with its own eight bytes in it, and nobody else does.
 * A nameserver that has no secrets yet gives none.
 */
function cookieProblem(
  sent: Uint8Array | undefined,
  got: Uint8Array | undefined,
): string | undefined {
  if (got === undefined) return undefined;
  if (sent === undefined) return 'a cookie, which was not asked for';
  if (got.length !== COOKIE_BYTES) return `a cookie of ${got.length} bytes`;
  const isOwn = Buffer.compare(sent.subarray(0, OWN_BYTES), got.subarray(0, OWN_BYTES)) === 0;
  return isOwn ? undefined : "another client's cookie";
}

/** Over UDP and over TCP at one time: the same, unless the first one was cut. */
function unlike(first: DnsReply | undefined, second: DnsReply): string | undefined {
  if (first === undefined || first.form === 'cut') return undefined;
  const [one, other] = [first, second].map((reply) => JSON.stringify([reply.rcode, reply.answer]));
  return one === other ? undefined : `${other} after ${one}`;
}

/** Of what cannot be read nobody knows what it takes; the reply shows what was read. */
function udpBytesMax(asked: DnsQuery | undefined, reply: DnsReply): number {
  if (asked === undefined) return reply.edns === 'absent' ? UDP_BYTES_MIN : UDP_BYTES_MAX;
  return Math.min(UDP_BYTES_MAX, Math.max(UDP_BYTES_MIN, asked.sizeBytes ?? UDP_BYTES_MIN));
}

function tryToRead(exchange: DnsExchange): DnsReply | undefined {
  try {
    return replyOf(exchange);
  } catch {
    return undefined;
  }
}
