import { CLASS_IN, RecordType } from '../message/codes.ts';
import { UDP_SIZE_BYTES, UDP_SIZE_BYTES_MIN } from '../message/edns.ts';
import { HEADER_BYTES } from '../message/message.ts';
import { LABEL_BYTES_MAX, NAME_BYTES_MAX, type NameKey } from '../message/name.ts';

/** OPT up to its options (RFC 6891 §6.1.2), a client subnet up to its address (RFC 7871 §6). */
export const OPT_BYTES = 11;
export const SUBNET_BYTES = 8;
const OPTION_HEAD_BYTES = 4;
const OPTION_CLIENT_SUBNET = 8;
const OPTION_COOKIE = 10;
/** RFC 7873 §4: the client's part, and how long that of a server may be; ours has 16 (RFC 9018). */
export const CLIENT_COOKIE_BYTES = 8;
const SERVER_COOKIE_BYTES_MIN = 8;
const SERVER_COOKIE_BYTES_MAX = 32;
export const SERVER_COOKIE_BYTES = 16;
const NAME_WORDS_MAX = 64;
const IS_LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;
/** The whole option of an answer. */
export const COOKIE_BYTES = OPTION_HEAD_BYTES + CLIENT_COOKIE_BYTES + SERVER_COOKIE_BYTES;

/**
 * A query as nearly all are: one question of class IN, at most an OPT of version 0, at most a
 * client subnet and a cookie in it. One object is filled again for each query: making one would
 * cost more than reading it.
 */
export interface PlainQuery {
  /** Whether who asks with a cookie is given one. Never changes. */
  readonly cookies: 'given' | 'ignored';
  /** How long the query is; what it lies in may be longer. */
  length: number;
  /** Offset after the question. */
  questionEnd: number;
  /** Offset after the name's root label. */
  nameEnd: number;
  type: number;
  /** The name in lower case, its root label among it: four bytes a number, zeros after its end. */
  readonly name: Int32Array;
  /** The same memory. */
  readonly nameBytes: Buffer;
  /** How many numbers of `name` there are. */
  nameWords: number;
  /** Of the name in lower case and the type: 32 bits, signed. */
  hash: number;
  hasOpt: boolean;
  dnssecOk: boolean;
  /** The most bytes of an answer over UDP. */
  udpSizeBytesMax: number;
  /** Length of the answer's OPT; 0: none. */
  optBytes: number;
  /** Offset of the option that holds the client's subnet; 0: none. */
  subnetAt: number;
  /** Bits of the subnet that are known; 0: the resolver speaks for itself. */
  subnetBits: number;
  /** Bytes that an address of its family has: 4 or 16. */
  addressBytes: number;
  /** Offset after the subnet, where the bits that are known end. */
  subnetEnd: number;
  /** Offset of the cookie, the client's 8 bytes first; 0: none, or it is ignored. */
  cookieAt: number;
  /** How many bytes of a server follow. */
  serverCookieBytes: number;
}

export function newPlainQuery(cookies: PlainQuery['cookies']): PlainQuery {
  const name = new Int32Array(NAME_WORDS_MAX);
  return {
    cookies,
    length: 0,
    questionEnd: 0,
    nameEnd: 0,
    type: 0,
    name,
    nameBytes: Buffer.from(name.buffer),
    nameWords: 0,
    hash: 0,
    hasOpt: false,
    dnssecOk: false,
    udpSizeBytesMax: UDP_SIZE_BYTES_MIN,
    optBytes: 0,
    subnetAt: 0,
    subnetBits: 0,
    addressBytes: 4,
    subnetEnd: 0,
    cookieAt: 0,
    serverCookieBytes: 0,
  };
}

/**
 * Reads a plain query, the first `length` bytes of `message`, into `into`; false: it is something
 * else, and what `into` holds is worthless. It never takes what the general path would reject, for its answer depends on no more than this.
 */
export function readPlainQuery(message: Uint8Array, length: number, into: PlainQuery): boolean {
  // No response, opcode QUERY, no flag but RD and AD; one question, no answer, at most one OPT.
  if (length < HEADER_BYTES + 5) return false;
  if (((message[2] ?? 0) & 0xfe) !== 0 || ((message[3] ?? 0) & 0xdf) !== 0) return false;
  if (word(message, 4) !== 1 || word(message, 6) !== 0 || word(message, 8) !== 0) return false;
  const additional = word(message, 10);
  into.length = length;
  if (additional > 1 || !readQuestion(message, into)) return false;
  into.hasOpt = additional === 1;
  into.dnssecOk = false;
  into.udpSizeBytesMax = UDP_SIZE_BYTES_MIN;
  into.optBytes = 0;
  into.subnetAt = 0;
  into.subnetBits = 0;
  into.cookieAt = 0;
  return into.hasOpt ? readOpt(message, into) : length === into.questionEnd;
}

/** The two bytes at an offset; 0 beyond the end. */
export function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

/** The name that was read. */
export function nameOf({ nameBytes, nameWords, nameEnd }: PlainQuery): NameKey {
  // In numbers as this machine has them, the first byte is not the first one everywhere.
  const bytes = IS_LITTLE_ENDIAN
    ? nameBytes
    : Buffer.from(nameBytes.subarray(0, 4 * nameWords)).swap32();
  return bytes.toString('latin1', 0, nameEnd - HEADER_BYTES - 1) as NameKey;
}

function readQuestion(message: Uint8Array, into: PlainQuery): boolean {
  let at = HEADER_BYTES;
  let length = message[at] ?? 0xff;
  while (length !== 0) {
    const end = at + 1 + length;
    // Below the type and class there is room for them, so no label can run out of the message.
    if (length > LABEL_BYTES_MAX || end - HEADER_BYTES >= NAME_BYTES_MAX) return false;
    if (end + 5 > into.length) return false;
    at = end;
    length = message[at] ?? 0xff;
  }
  into.nameEnd = at + 1;
  into.questionEnd = at + 5;
  into.type = word(message, at + 1);
  into.hash = readName(message, into);
  return word(message, at + 3) === CLASS_IN;
}

/** Four bytes at a time: names are read for every query. Returns a hash of name and type. */
function readName(message: Uint8Array, into: PlainQuery): number {
  const { name, nameEnd, type } = into;
  let hash = Math.imul(type, 0x85ebca6b);
  let count = 0;
  for (let at = HEADER_BYTES; at < nameEnd; at += 4) {
    // Type and class follow, so that four bytes are there.
    const read =
      (message[at] ?? 0) |
      ((message[at + 1] ?? 0) << 8) |
      ((message[at + 2] ?? 0) << 16) |
      ((message[at + 3] ?? 0) << 24);
    const left = nameEnd - at;
    const four = lowered(left < 4 ? read & ((1 << (8 * left)) - 1) : read);
    name[count] = four;
    count += 1;
    hash = Math.imul(hash ^ four, 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  into.nameWords = count;
  return hash;
}

/**
 * `A` to `Z` in lower case, all else as it is (RFC 4343 §3), in each of four bytes. A sum sets the
 * highest bit of a byte that is `A` or above, another one of a byte that is above `Z`.
 */
export function lowered(four: number): number {
  const low = four & 0x7f7f7f7f;
  const upper = (low + 0x3f3f3f3f) ^ (low + 0x25252525);
  return four | ((upper & ~four & 0x80808080) >>> 2);
}

function readOpt(message: Uint8Array, into: PlainQuery): boolean {
  const at = into.questionEnd;
  if (into.length < at + OPT_BYTES || message[at] !== 0) return false;
  // Version 0, no extended response code, no flag but DO (RFC 3225).
  if (word(message, at + 1) !== RecordType.OPT || word(message, at + 5) !== 0) return false;
  const flags = word(message, at + 7);
  if ((flags & 0x7fff) !== 0) return false;
  const optionBytes = word(message, at + 9);
  if (into.length !== at + OPT_BYTES + optionBytes) return false;
  const asked = word(message, at + 3);
  into.udpSizeBytesMax = Math.min(UDP_SIZE_BYTES, Math.max(UDP_SIZE_BYTES_MIN, asked));
  into.dnssecOk = flags !== 0;
  into.optBytes = OPT_BYTES;
  return optionBytes === 0 || readOptions(message, into);
}

/** Each option once at most, in any order. */
function readOptions(message: Uint8Array, into: PlainQuery): boolean {
  let at = into.questionEnd + OPT_BYTES;
  let hasCookie = false;
  while (at < into.length) {
    const data = at + OPTION_HEAD_BYTES;
    const end = data + word(message, at + 2);
    if (data > into.length || end > into.length) return false;
    const code = word(message, at);
    if (code === OPTION_CLIENT_SUBNET && into.subnetAt === 0) {
      if (!readSubnet(message, into, at, end)) return false;
    } else if (code === OPTION_COOKIE && !hasCookie) {
      if (!readCookie(into, data, end)) return false;
      hasCookie = true;
    } else return false;
    at = end;
  }
  return true;
}

function readCookie(into: PlainQuery, at: number, end: number): boolean {
  const serverBytes = end - at - CLIENT_COOKIE_BYTES;
  const isWhole =
    serverBytes === 0 ||
    (serverBytes >= SERVER_COOKIE_BYTES_MIN && serverBytes <= SERVER_COOKIE_BYTES_MAX);
  if (!isWhole) return false;
  if (into.cookies === 'ignored') return true;
  into.cookieAt = at;
  into.serverCookieBytes = serverBytes;
  into.optBytes += COOKIE_BYTES;
  return true;
}

function readSubnet(message: Uint8Array, into: PlainQuery, at: number, end: number): boolean {
  if (end - at < SUBNET_BYTES) return false;
  const family = word(message, at + 4);
  const bits = message[at + 6] ?? 0;
  const addressBytes = family === 1 ? 4 : 16;
  if ((family !== 1 && family !== 2) || bits > 8 * addressBytes) return false;
  const known = (bits + 7) >> 3;
  if (end - at !== SUBNET_BYTES + known || message[at + 7] !== 0) return false;
  // No bit may be set after the prefix.
  const last = known === 0 ? 0 : (message[end - 1] ?? 0);
  if ((last & (0xff >> (bits & 7 || 8))) !== 0) return false;
  into.subnetAt = at;
  into.subnetEnd = end;
  into.subnetBits = bits;
  into.addressBytes = addressBytes;
  into.optBytes += end - at;
  return true;
}
