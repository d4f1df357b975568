import { UDP_SIZE_BYTES } from '../message/edns.ts';
import { HEADER_BYTES } from '../message/message.ts';
import {
  CLIENT_COOKIE_BYTES,
  OPT_BYTES,
  type PlainQuery,
  SERVER_COOKIE_BYTES,
  SUBNET_BYTES,
  word,
} from './plain-query.ts';

/**
 * An answer without what differs from query to query: its header's flags and counts, and the bytes
 * between question and OPT. Where the question's length moves what names point to, `pointers` says
 * where those pointers are.
 */
export interface Template {
  /** The header's third byte without RD, and its fourth. */
  readonly flags: number;
  readonly rcode: number;
  /** The counts of answer, authority and additional, without the OPT. */
  readonly counts: readonly [number, number, number];
  readonly tail: Uint8Array;
  /** Offsets in `tail` of pointers that are counted from the question's end. */
  readonly pointers: readonly number[];
  /** The question's end in the answer that this was made from. */
  readonly madeAt: number;
  /**
   * Which forms of query were compared with the general path's answer, a bit each: the same bytes
   * came out, or others did.
   */
  proven: number;
  refuted: number;
}

/** A longer answer is left to the general path: it is rare, and would have to be cut for most. */
const TAIL_BYTES_MAX = 4096;
const RESPONSE = 0x80;
const TRUNCATED = 0x02;

/**
 * Takes an answer of the general path apart; undefined: it was cut, or is too long. What was asked
 * is not looked at beyond its length: whether the parts make the same answer is for the caller to
 * compare.
 */
export function templateOf(
  reply: Uint8Array,
  query: PlainQuery,
  pointers: readonly number[] = [],
): Template | undefined {
  const { questionEnd, optBytes, hasOpt } = query;
  const flags = reply[2] ?? 0;
  const end = reply.length - optBytes;
  if ((flags & TRUNCATED) !== 0 || end < questionEnd || end - questionEnd > TAIL_BYTES_MAX) {
    return undefined;
  }
  return {
    flags: flags & 0xfe,
    rcode: reply[3] ?? 0,
    counts: [word(reply, 6), word(reply, 8), word(reply, 10) - (hasOpt ? 1 : 0)],
    // A copy of its own size: what the reply lies in may be larger, and lives as long as this.
    tail: Uint8Array.from(reply.subarray(questionEnd, end)),
    pointers,
    madeAt: questionEnd,
    proven: 0,
    refuted: 0,
  };
}

/** The form of a query for `proven` and `refuted`. */
export function formOf(query: PlainQuery, transport: 'udp' | 'tcp'): number {
  const options = (query.subnetAt > 0 ? 1 : 0) + (query.cookieAt > 0 ? 2 : 0);
  const opt = query.hasOpt ? 1 + options : 0;
  return 1 << (opt + (query.dnssecOk ? 5 : 0) + (transport === 'tcp' ? 10 : 0));
}

/** What of an answer depends on who asks: how far it holds, and the server's cookie. */
export interface Particulars {
  scopeBits: number;
  /** 16 bytes; looked at only if the query has a cookie. */
  readonly serverCookie: Uint8Array;
}

export function composedBytes(template: Template, query: PlainQuery): number {
  return query.questionEnd + template.tail.length + query.optBytes;
}

/**
 * Writes the whole answer to `message`, which was read into `query`, to the beginning of `out`,
 * which has room for it; returns its length.
 */
export function compose(
  { flags, rcode, counts, tail, pointers, madeAt }: Template,
  message: Uint8Array,
  query: PlainQuery,
  particulars: Particulars,
  out: Uint8Array,
): number {
  const { questionEnd, optBytes } = query;
  const tailBytes = tail.length;
  out[0] = message[0] ?? 0;
  out[1] = message[1] ?? 0;
  out[2] = RESPONSE | flags | ((message[2] ?? 0) & 1);
  out[3] = rcode;
  out[4] = 0;
  out[5] = 1;
  const additional = counts[2] + (query.hasOpt ? 1 : 0);
  out[6] = counts[0] >> 8;
  out[7] = counts[0];
  out[8] = counts[1] >> 8;
  out[9] = counts[1];
  out[10] = additional >> 8;
  out[11] = additional;
  for (let at = HEADER_BYTES; at < questionEnd; at += 1) out[at] = message[at] ?? 0;
  for (let at = 0; at < tailBytes; at += 1) out[questionEnd + at] = tail[at] ?? 0;
  if (questionEnd !== madeAt) {
    for (const at of pointers) {
      const pointer = word(tail, at) + questionEnd - madeAt;
      out[questionEnd + at] = pointer >> 8;
      out[questionEnd + at + 1] = pointer;
    }
  }
  const optAt = questionEnd + tailBytes;
  if (query.hasOpt) writeOpt(out, optAt, message, query, particulars);
  return optAt + optBytes;
}

function writeOpt(
  out: Uint8Array,
  at: number,
  message: Uint8Array,
  query: PlainQuery,
  { scopeBits, serverCookie }: Particulars,
): void {
  const { dnssecOk, optBytes, subnetAt, subnetEnd, subnetBits, cookieAt } = query;
  out[at] = 0;
  out[at + 1] = 0;
  out[at + 2] = 41;
  out[at + 3] = UDP_SIZE_BYTES >> 8;
  out[at + 4] = UDP_SIZE_BYTES & 0xff;
  out[at + 5] = 0;
  out[at + 6] = 0;
  // RFC 3225 §3: the DO bit is copied.
  out[at + 7] = dnssecOk ? 0x80 : 0;
  out[at + 8] = 0;
  out[at + 9] = (optBytes - OPT_BYTES) >> 8;
  out[at + 10] = optBytes - OPT_BYTES;
  let to = at + OPT_BYTES;
  if (subnetAt > 0) {
    for (let from = subnetAt; from < subnetEnd; from += 1) {
      out[to + from - subnetAt] = message[from] ?? 0;
    }
    out[to + SUBNET_BYTES - 1] = Math.min(scopeBits, subnetBits);
    to += subnetEnd - subnetAt;
  }
  if (cookieAt > 0) writeCookie(out, to, message, cookieAt, serverCookie);
}

/** RFC 7873 §4: the client's part as it came, then the server's. */
function writeCookie(
  out: Uint8Array,
  at: number,
  message: Uint8Array,
  cookieAt: number,
  serverCookie: Uint8Array,
): void {
  out[at] = 0;
  out[at + 1] = 10;
  out[at + 2] = 0;
  out[at + 3] = CLIENT_COOKIE_BYTES + SERVER_COOKIE_BYTES;
  const to = at + 4;
  for (let index = 0; index < CLIENT_COOKIE_BYTES; index += 1) {
    out[to + index] = message[cookieAt + index] ?? 0;
  }
  const server = to + CLIENT_COOKIE_BYTES;
  for (let index = 0; index < SERVER_COOKIE_BYTES; index += 1) {
    out[server + index] = serverCookie[index] ?? 0;
  }
}
