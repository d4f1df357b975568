import { Rcode, RecordType } from './codes.ts';
import { type Edns, parseEdns } from './edns.ts';
import { type NameKey, readName } from './name.ts';

export const HEADER_BYTES = 12;

/** What a reply repeats of its query, whatever the outcome. */
export interface Envelope {
  readonly id: number;
  readonly opcode: number;
  readonly recursionDesired: boolean;
  /** The question as it came, letter case and all; empty: none could be read, or there is none. */
  readonly question: Buffer;
  /** Undefined: the query had no OPT, so the reply must have none (RFC 6891 §6.1.1). */
  readonly edns: Edns | undefined;
}

export interface Question {
  readonly name: NameKey;
  readonly type: number;
}

/** A question as it stands in a message. */
export interface AskedQuestion extends Question {
  readonly klass: number;
}

export type ParsedQuery =
  /** Not a query: answering would make two servers talk to each other for ever. */
  | { readonly kind: 'ignored' }
  | {
      readonly kind: 'rejected';
      readonly envelope: Envelope;
      readonly rcode: Rcode;
      /** `type`: what is asked for is no data, of any name. */
      readonly fault: 'type' | 'other';
    }
  /** No question, only a cookie to be had or renewed (RFC 7873 §5.4). */
  | { readonly kind: 'cookie-only'; readonly envelope: Envelope }
  | { readonly kind: 'accepted'; readonly envelope: Envelope; readonly question: AskedQuestion };

const OPCODE_QUERY = 0;

/** Reads a query from untrusted bytes; never throws, and copies nothing out of `message`. */
export function parseQuery(message: Buffer): ParsedQuery {
  if (message.length < HEADER_BYTES) return { kind: 'ignored' };
  const flags = message.readUInt16BE(2);
  if ((flags & 0x8000) !== 0) return { kind: 'ignored' };
  const { question, edns, isWhole } = readSections(message);
  const opcode = (flags >> 11) & 0xf;
  const envelope: Envelope = {
    id: message.readUInt16BE(0),
    opcode,
    // RFC 1035 §4.1.1; AD, CD and Z are for others, and cleared (RFC 4035 §3.1.6).
    recursionDesired: (flags & 0x0100) !== 0,
    question: message.subarray(HEADER_BYTES, question?.end ?? HEADER_BYTES),
    edns,
  };
  // What the sections of another opcode mean is not known here: only its OPT is looked at.
  if (opcode !== OPCODE_QUERY) {
    const bare = { ...envelope, question: message.subarray(0, 0) };
    return { kind: 'rejected', envelope: bare, rcode: Rcode.NOTIMP, fault: 'other' };
  }
  const rcode = isWhole ? rejection(message, envelope, question) : Rcode.FORMERR;
  if (rcode !== undefined) return { kind: 'rejected', envelope, rcode, fault: 'other' };
  if (question === undefined) return { kind: 'cookie-only', envelope };
  const refusal = META_TYPES.get(question.type);
  if (refusal !== undefined) return { kind: 'rejected', envelope, rcode: refusal, fault: 'type' };
  return { kind: 'accepted', envelope, question };
}

function rejection(
  message: Buffer,
  { edns }: Envelope,
  question: AskedQuestion | undefined,
): Rcode | undefined {
  if (edns !== undefined && edns.version > 0) return Rcode.BADVERS;
  if (question === undefined) {
    // RFC 9619 §4: one question, or none for a cookie.
    const isForCookie = message.readUInt16BE(4) === 0 && edns?.cookie !== undefined;
    return isForCookie && message.readUInt32BE(6) === 0 ? undefined : Rcode.FORMERR;
  }
  // A query carries no answers; IXFR alone has the SOA that its sender holds (RFC 1995 §3).
  const recordsMax = question.type === RecordType.IXFR ? 1 : 0;
  return message.readUInt32BE(6) > recordsMax ? Rcode.FORMERR : undefined;
}

/** Types that stand for something other than data, or for data that nobody has (RFC 6895 §3.1). */
const META_TYPES: ReadonlyMap<number, Rcode> = new Map([
  [RecordType.OPT, Rcode.FORMERR],
  [RecordType.TSIG, Rcode.FORMERR],
  [RecordType.TKEY, Rcode.NOTIMP],
  // Only ever in the type map of an NSEC record (RFC 9824 §3.5).
  [RecordType.NXNAME, Rcode.FORMERR],
  [RecordType.MAILA, Rcode.NOTIMP],
  [RecordType.MAILB, Rcode.NOTIMP],
]);

interface Sections {
  /** The only question; undefined: there is not exactly one, or it cannot be read. */
  readonly question: (AskedQuestion & { readonly end: number }) | undefined;
  /** Of the first OPT, also if what comes after it is broken. */
  readonly edns: Edns | undefined;
  /** Every section is as long as it says, nothing comes after it, and there is one OPT at most. */
  readonly isWhole: boolean;
}

function readSections(message: Buffer): Sections {
  const questions = message.readUInt16BE(4);
  const question = questions === 1 ? readQuestion(message) : undefined;
  const start = question?.end ?? skipQuestions(message, questions);
  if (start === undefined) return { question, edns: undefined, isWhole: false };
  const others = message.readUInt16BE(6) + message.readUInt16BE(8);
  const total = others + message.readUInt16BE(10);
  let edns: Edns | undefined;
  let offset = start;
  for (let index = 0; index < total; index += 1) {
    const broken = { question, edns, isWhole: false };
    const fields = skipName(message, offset);
    if (fields === undefined || fields + 10 > message.length) return broken;
    const end = fields + 10 + message.readUInt16BE(fields + 8);
    if (end > message.length) return broken;
    if (message.readUInt16BE(fields) === RecordType.OPT) {
      const isInPlace = fields === offset + 1 && index >= others;
      if (!isInPlace || edns !== undefined) return broken;
      const parsed = parseEdns(message.subarray(fields + 2, end));
      ({ edns } = parsed);
      if (parsed.kind === 'malformed') return { question, edns, isWhole: false };
    }
    offset = end;
  }
  return { question, edns, isWhole: offset === message.length };
}

function readQuestion(message: Buffer): Sections['question'] {
  const name = readName(message, HEADER_BYTES);
  if (name === undefined || name.end + 4 > message.length) return undefined;
  const type = message.readUInt16BE(name.end);
  return { name: name.key, type, klass: message.readUInt16BE(name.end + 2), end: name.end + 4 };
}

/** Where the records begin after no question or several; undefined: they do not end. */
function skipQuestions(message: Buffer, count: number): number | undefined {
  let offset: number | undefined = HEADER_BYTES;
  for (let index = 0; index < count && offset !== undefined; index += 1) {
    const end = skipName(message, offset);
    offset = end !== undefined && end + 4 <= message.length ? end + 4 : undefined;
  }
  return offset;
}

/** The offset after a name that may end in a pointer; pointers must lead back (RFC 1035 §4.1.4). */
function skipName(message: Buffer, start: number): number | undefined {
  for (let offset = start; offset - start < 255; ) {
    const length = message[offset];
    if (length === undefined) return undefined;
    if (length === 0) return offset + 1;
    if (length >= 0xc0) {
      const target = ((length & 0x3f) << 8) | (message[offset + 1] ?? 0xff);
      return target >= HEADER_BYTES && target < start ? offset + 2 : undefined;
    }
    if (length > 63) return undefined;
    offset += 1 + length;
  }
  return undefined;
}
