import { STREAM_IDLE_MS } from '../../runtime/dns/reply.ts';
import { identityReply } from './chaos.ts';
import type { CookieAnswer } from './cookie/cookies.ts';
import { signReply } from './dnssec/sign-reply.ts';
import type { Signatures } from './dnssec/signatures.ts';
import { clientBytes } from './geo/address.ts';
import { type ClientSubnet, subnetAddress } from './message/client-subnet.ts';
import { CLASS_ANY, CLASS_CHAOS, CLASS_IN, Rcode, RecordType } from './message/codes.ts';
import {
  type AskedQuestion,
  type Envelope,
  type ParsedQuery,
  parseQuery,
} from './message/message.ts';
import { bareReply, ExtendedError, type Reply } from './message/reply.ts';
import { replyOptions } from './message/reply-options.ts';
import { replySizeMax, writeReply } from './message/response.ts';
import { resolve, type Vantage } from './resolve.ts';
import type { DnsSnapshot } from './snapshot.ts';

/** Who asked, as the socket says. */
export interface DnsClient {
  /** Text of an IPv4 or IPv6 address. */
  readonly address: string;
  /** The same as 4 or 16 bytes; left out: the text says it. */
  readonly bytes?: Uint8Array | undefined;
  readonly transport: 'udp' | 'tcp' | 'tls';
}

export interface AnswerContext {
  readonly snapshot: DnsSnapshot;
  readonly client: DnsClient;
  /** Wall time: cookies and signatures depend on it. */
  readonly nowMs: number;
  /** What signs answers of signed zones to those who ask for it; left out: nothing does. */
  readonly signatures?: Signatures;
  /** Whether so much is asked from around there that cookies are insisted on; left out: never. */
  readonly isOverloaded?: (client: DnsClient, nowMs: number) => boolean;
}

/** RFC 8467 §4.1: what a server pads to, so that the length of an answer tells little. */
export const PADDING_BLOCK_BYTES = 468;

/**
 * The reply to one message: a pure function of its bytes, the snapshot, the client and the time.
 * Undefined: say nothing, for it is no query (INV-25). Never throws, whatever the bytes.
 */
export function answerQuery(query: Uint8Array, context: AnswerContext): Uint8Array | undefined {
  const parsed = parseQuery(bufferOf(query));
  return parsed.kind === 'ignored' ? undefined : answerParsed(parsed, context);
}

/** Whether the query holds a cookie that this cluster gave to this client within the hour. */
export function hasValidCookie(query: Uint8Array, context: AnswerContext): boolean {
  const parsed = parseQuery(bufferOf(query));
  return parsed.kind !== 'ignored' && judgeCookie(parsed.envelope, context)?.standing === 'valid';
}

function answerParsed(
  parsed: Exclude<ParsedQuery, { kind: 'ignored' }>,
  context: AnswerContext,
): Uint8Array {
  const { envelope } = parsed;
  const { edns } = envelope;
  const { snapshot, client } = context;
  const cookie = judgeCookie(envelope, context);
  const reply = replyTo(parsed, context, cookie);
  const idleMs = client.transport === 'udp' ? undefined : STREAM_IDLE_MS;
  const facts = { nameserver: snapshot.nameserver, serverCookie: cookie?.server, idleMs };
  return writeReply(envelope, reply, {
    sizeMax: replySizeMax(envelope, client.transport),
    options: edns === undefined ? [] : replyOptions(edns, reply, facts),
    blockBytes: client.transport === 'tls' ? PADDING_BLOCK_BYTES : undefined,
    klass: parsed.kind === 'accepted' ? parsed.question.klass : CLASS_IN,
  });
}

function replyTo(
  parsed: Exclude<ParsedQuery, { kind: 'ignored' }>,
  context: AnswerContext,
  cookie: CookieAnswer | undefined,
): Reply {
  switch (parsed.kind) {
    case 'rejected':
      return rejection(parsed);
    case 'cookie-only':
      // Without a secret a query without a question is only that (RFC 9619 §4).
      if (cookie === undefined) return bareReply(Rcode.FORMERR);
      // It may have come to hear whether its cookie is still good.
      return bareReply(cookie.standing === 'invalid' ? Rcode.BADCOOKIE : Rcode.NOERROR);
    case 'accepted':
      return isToComeAgain(cookie, context)
        ? bareReply(Rcode.BADCOOKIE)
        : replyToQuestion(parsed.question, parsed.envelope, context);
  }
}

function rejection({ rcode, fault }: Extract<ParsedQuery, { kind: 'rejected' }>): Reply {
  if (rcode === Rcode.NOTIMP) return bareReply(rcode, ExtendedError.NotSupported);
  return fault === 'type' ? bareReply(rcode, ExtendedError.InvalidQueryType) : bareReply(rcode);
}

const TRANSFERS: ReadonlySet<number> = new Set([RecordType.AXFR, RecordType.IXFR]);

function replyToQuestion(
  question: AskedQuestion,
  { edns }: Envelope,
  { snapshot, client, signatures, nowMs }: AnswerContext,
): Reply {
  const { type, klass } = question;
  if (TRANSFERS.has(type)) return bareReply(Rcode.REFUSED, ExtendedError.Prohibited);
  if (klass === CLASS_CHAOS && snapshot.identity !== undefined) {
    const reply = identityReply(question, snapshot.identity);
    if (reply !== undefined) return reply;
  }
  if (klass !== CLASS_IN && klass !== CLASS_ANY) {
    return bareReply(Rcode.REFUSED, ExtendedError.NotAuthoritative);
  }
  const vantage = vantageOf(client, edns?.clientSubnet);
  const { reply: unsigned } = resolve(snapshot, question, vantage);
  const reply =
    edns?.dnssecOk === true && signatures !== undefined
      ? signReply(unsigned, { signatures, compactOk: edns.compactOk, nowMs })
      : unsigned;
  // RFC 1035 §6.2: what is said of every class cannot be authoritative.
  return klass === CLASS_ANY ? { ...reply, authoritative: false } : reply;
}

function judgeCookie({ edns }: Envelope, context: AnswerContext): CookieAnswer | undefined {
  const { snapshot, client, nowMs } = context;
  if (edns?.cookie === undefined) return undefined;
  return snapshot.cookies?.judge({ cookie: edns.cookie, client: clientBytes(client), nowMs });
}

/** RFC 7873 §5.2.3: a client that knows cookies shows that it is where it says it is. */
function isToComeAgain(
  cookie: CookieAnswer | undefined,
  { client, nowMs, isOverloaded }: AnswerContext,
): boolean {
  if (cookie === undefined || cookie.standing === 'valid' || client.transport !== 'udp') {
    return false;
  }
  return isOverloaded?.(client, nowMs) === true;
}

/** The subnet that a resolver speaks for, or else the resolver itself (RFC 7871 §7.2.1). */
function vantageOf(peer: DnsClient, subnet: ClientSubnet | undefined): Vantage {
  const asked = subnet === undefined ? undefined : subnetAddress(subnet);
  if (subnet !== undefined && asked !== undefined) {
    return { address: asked, knownBits: subnet.sourceBits };
  }
  const address = clientBytes(peer);
  return { address, knownBits: 8 * address.length };
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
