import type { HeadersMemo, HttpRequest } from '../http.ts';

/** The first line and the headers of a request, taken apart (RFC 9112 §3, §5). */
export interface RequestHead {
  readonly request: HttpRequest;
  /** Whether bytes of a body follow, or may; whether another request can (RFC 9112 §9.3). */
  readonly lines: HeaderLines;
  /** Where the next request begins. */
  readonly end: number;
}

/** What is no request that we answer, and why, as a sentence. The connection cannot go on. */
export interface Refusal {
  readonly status: 400 | 414 | 431 | 501 | 505;
  readonly why: string;
}

export interface HeadOptions {
  readonly secure: boolean;
  /** Of the client; left out: not known. */
  readonly address?: string | undefined;
  /** See `HttpRequest`. */
  readonly copiedBytesMax?: number;
  readonly limits: { readonly headerBytesMax: number; readonly headerFieldsMax: number };
  /** Of the request before on this connection: most clients say the same each time. */
  readonly before?: HeaderLines | undefined;
  /** From `start` on: looked at before, without an end in them. Left out: none. */
  readonly seenBytes?: number;
}

/** The header lines of a request, taken apart; the same object for the same lines. */
export interface HeaderLines {
  readonly text: string;
  readonly minor: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly memo: HeadersMemo;
  readonly hasBody: boolean;
  readonly isPersistent: boolean;
}

/**
 * Reads the head of the request that begins at `start`; undefined: its end has not come yet, and it
 * is worth looking again with more bytes. Pure; never throws.
 *
 * Strict where two servers could understand a request in two ways (RFC 9112 §11.2): lines end with
 * CRLF alone, no line is folded, nothing stands between a name and its colon, there is one `Host`,
 * one `Content-Length` of digits alone, and never one beside a `Transfer-Encoding`.
 */
export function parseRequestHead(
  bytes: Buffer,
  start: number,
  options: HeadOptions,
): RequestHead | Refusal | undefined {
  const first = skipEmptyLines(bytes, start);
  const { limits, seenBytes = 0 } = options;
  const unseen = Math.max(first, start + seenBytes - END_OF_HEAD.length + 1);
  const gap = bytes.indexOf(END_OF_HEAD, unseen);
  if (gap < 0) return refuseEarly(bytes, { first, unseen }, limits.headerBytesMax);
  if (gap - first > limits.headerBytesMax) return tooLarge(bytes, first, limits.headerBytesMax);
  const text = bytes.toString('latin1', first, gap + 2);
  const lineEnd = text.indexOf('\r\n');
  const line = REQUEST_LINE.exec(text.slice(0, lineEnd));
  if (line === null) return LINE_BROKEN;
  const [, method = '', path = '', major, minor = ''] = line;
  if (major !== '1') return VERSION;
  const rest = text.slice(lineEnd + 2);
  const { before, secure, address, copiedBytesMax } = options;
  const isSame = before !== undefined && before.text === rest && before.minor === minor;
  const lines = isSame ? before : readLines(rest, minor, limits.headerFieldsMax);
  if ('why' in lines) return lines;
  const { headers, memo } = lines;
  const host = headers['host'] ?? '';
  const protocol = minor === '0' ? 'HTTP/1.0' : 'HTTP/1.1';
  const asked = { method, path, host, headers, secure, protocol } as const;
  const request = { ...asked, address, memo, copiedBytesMax };
  return { request, lines, end: gap + END_OF_HEAD.length };
}

function readLines(text: string, minor: string, fieldsMax: number): HeaderLines | Refusal {
  const fields = readFields(text, fieldsMax);
  if ('why' in fields) return fields;
  const refusal = refuseFraming(fields, { minor });
  if (refusal !== undefined) return refusal;
  const { headers } = fields;
  const { connection, 'content-length': length, 'transfer-encoding': coding } = headers;
  return {
    ...{ text, minor, headers, memo: {} },
    hasBody: coding !== undefined || (length !== undefined && !/^0+$/u.test(length)),
    isPersistent:
      minor === '0' ? hasToken(connection, 'keep-alive') : !hasToken(connection, 'close'),
  };
}

const END_OF_HEAD = Buffer.from('\r\n\r\n');
const [CR, LF, COLON] = [13, 10, 58];
/** Before a request; some clients of old sent one behind a body (RFC 9112 §2.2). */
const EMPTY_LINES_MAX = 2;
/** Method, target in visible octets, version with one digit each (RFC 9112 §3, §2.3). */
const REQUEST_LINE =
  /^([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32}) ([!-~\u0080-\u00ff]+) HTTP\/([0-9])\.([0-9])$/u;

const TOO_LARGE: Refusal = { status: 431, why: 'The headers of the request are too large.' };
const TARGET_TOO_LONG: Refusal = { status: 414, why: 'The address is too long.' };
const LINE_BROKEN: Refusal = { status: 400, why: 'The first line is not that of a request.' };
const FIELDS_BROKEN: Refusal = { status: 400, why: 'The request has a broken header.' };
const VERSION: Refusal = { status: 505, why: 'Only HTTP/1.1 and HTTP/2 are spoken here.' };
const HOST_BROKEN: Refusal = { status: 400, why: 'A request names one host, in one header.' };
const LENGTH_BROKEN: Refusal = { status: 400, why: 'The length of the body is not clear.' };
const CODING: Refusal = { status: 501, why: 'The body is coded in a way that is not known here.' };

function skipEmptyLines(bytes: Buffer, start: number): number {
  let at = start;
  for (let lines = 0; lines < EMPTY_LINES_MAX; lines += 1) {
    if (bytes[at] !== CR || bytes[at + 1] !== LF) break;
    at += 2;
  }
  return at;
}

/** Says no to what can become no request, before more of it comes. */
function refuseEarly(
  bytes: Buffer,
  { first, unseen }: { readonly first: number; readonly unseen: number },
  bytesMax: number,
): Refusal | undefined {
  if (bytes.length - first > bytesMax) return tooLarge(bytes, first, bytesMax);
  if (bytes.length > first && !isTokenOctet(bytes[first]) && bytes[first] !== CR) {
    return LINE_BROKEN;
  }
  for (let at = bytes.indexOf(LF, unseen); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    if (at === 0 || bytes[at - 1] !== CR) return FIELDS_BROKEN;
  }
  return undefined;
}

/** RFC 9112 §3: a target that is too long is told from headers that are. */
function tooLarge(bytes: Buffer, first: number, bytesMax: number): Refusal {
  const lineEnd = bytes.indexOf(LF, first);
  return lineEnd < 0 || lineEnd - first > bytesMax ? TARGET_TOO_LONG : TOO_LARGE;
}

interface Fields {
  readonly headers: Record<string, string>;
  /** Some field that may be there once was there again. */
  readonly repeated: ReadonlySet<string>;
}

const NONE_REPEATED: ReadonlySet<string> = new Set();

/** Each line is a name, a colon and a value of one line. */
function readFields(text: string, fieldsMax: number): Fields | Refusal {
  const headers = Object.create(null) as Record<string, string>;
  let repeated: Set<string> | undefined;
  let count = 0;
  for (let at = 0; at < text.length; ) {
    count += 1;
    if (count > fieldsMax) return TOO_LARGE;
    const nameStart = at;
    while (isTokenOctet(text.charCodeAt(at))) at += 1;
    if (at === nameStart || text.charCodeAt(at) !== COLON) return FIELDS_BROKEN;
    const name = text.slice(nameStart, at).toLowerCase();
    const valueStart = at + 1;
    const valueEnd = text.indexOf('\r', valueStart);
    if (text.charCodeAt(valueEnd + 1) !== LF) return FIELDS_BROKEN;
    const value = withoutOuterSpace(text, valueStart, valueEnd);
    if (!FIELD_VALUE.test(value)) return FIELDS_BROKEN;
    const before = headers[name];
    if (before === undefined) headers[name] = value;
    else {
      headers[name] = `${before}${name === 'cookie' ? '; ' : ', '}${value}`;
      repeated = (repeated ?? new Set()).add(name);
    }
    at = valueEnd + 2;
  }
  return { headers, repeated: repeated ?? NONE_REPEATED };
}

/** Spaces and tabs alone: `trim` would take more (RFC 9110 §5.6.3). */
function withoutOuterSpace(text: string, from: number, to: number): string {
  let [start, end] = [from, to];
  while (start < end && isSpace(text.charCodeAt(start))) start += 1;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

function isSpace(octet: number): boolean {
  return octet === 32 || octet === 9;
}

/** Visible octets, spaces, tabs (RFC 9110 §5.5). */
const FIELD_VALUE = /^[\t -~\u0080-\u00ff]*$/u;

function refuseFraming(
  { headers, repeated }: Fields,
  { minor }: { readonly minor: string | undefined },
): Refusal | undefined {
  const { host, 'content-length': length, 'transfer-encoding': coding } = headers;
  // RFC 9112 §3.2: without, or twice, is an error; also when both say the same.
  if (repeated.has('host') || (host === undefined && minor !== '0')) return HOST_BROKEN;
  if (host !== undefined && !HOST.test(host)) return HOST_BROKEN;
  if (length !== undefined && !/^[0-9]{1,15}$/u.test(length)) return LENGTH_BROKEN;
  if (coding === undefined) return undefined;
  // RFC 9112 §6.1, §6.3: this is how requests are smuggled.
  if (length !== undefined || minor === '0' || repeated.has('transfer-encoding')) {
    return LENGTH_BROKEN;
  }
  return coding.toLowerCase() === 'chunked' ? undefined : CODING;
}

/** What may stand in a name or an address with its port; what it means is looked up. */
const HOST = /^[!$&'()*+,\-.0-9:;=A-Z[\]_a-z~%]*$/u;

function hasToken(list: string | undefined, token: string): boolean {
  if (list === undefined) return false;
  if (list === token) return true;
  return list.split(',').some((each) => each.trim().toLowerCase() === token);
}

/** RFC 9110 §5.6.2. */
const TOKEN_OCTETS: Uint8Array = Uint8Array.from({ length: 256 }, (_, octet) =>
  Number(/[!#$%&'*+\-.^_`|~0-9A-Za-z]/u.test(String.fromCharCode(octet))),
);

function isTokenOctet(octet: number | undefined): boolean {
  return octet !== undefined && TOKEN_OCTETS[octet] === 1;
}
