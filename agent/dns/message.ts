import { CLASS_IN, Rcode, RecordType } from './codes.ts';
import { type Edns, parseEdns } from './edns.ts';
import { type NameKey, readName } from './name.ts';

export const HEADER_BYTES = 12;

/** What a reply repeats of its query, whatever the outcome. */
export interface Envelope {
  readonly id: number;
  readonly opcode: number;
  readonly recursionDesired: boolean;
  /** The question as it came, letter case and all; empty: none could be read. */
  readonly question: Buffer;
  /** Undefined: the query had no OPT, so the reply must have none (RFC 6891 §6.1.1). */
  readonly edns: Edns | undefined;
}

export interface Question {
  readonly name: NameKey;
  readonly type: number;
}

export type ParsedQuery =
  /** Not a query: answering would make two servers talk to each other for ever. */
  | { readonly kind: 'ignored' }
  | { readonly kind: 'rejected'; readonly envelope: Envelope; readonly rcode: Rcode }
  | { readonly kind: 'accepted'; readonly envelope: Envelope; readonly question: Question };

/** Reads a query from untrusted bytes; never throws, and copies nothing out of `message`. */
export function parseQuery(message: Buffer): ParsedQuery {
  if (message.length < HEADER_BYTES) return { kind: 'ignored' };
  const flags = message.readUInt16BE(2);
  if ((flags & 0x8000) !== 0) return { kind: 'ignored' };
  const header: Envelope = {
    id: message.readUInt16BE(0),
    opcode: (flags >> 11) & 0xf,
    recursionDesired: (flags & 0x0100) !== 0,
    question: message.subarray(0, 0),
    edns: undefined,
  };
  const reject = (envelope: Envelope, rcode: Rcode): ParsedQuery => {
    return { kind: 'rejected', envelope, rcode };
  };
  // The sections of another opcode may mean anything: look no further.
  if (header.opcode !== 0) return reject(header, Rcode.NOTIMP);
  if (message.readUInt16BE(4) !== 1) return reject(header, Rcode.FORMERR);
  const name = readName(message, HEADER_BYTES);
  if (name === undefined || name.end + 4 > message.length) return reject(header, Rcode.FORMERR);
  const asked = { ...header, question: message.subarray(HEADER_BYTES, name.end + 4) };
  const type = message.readUInt16BE(name.end);
  // A query carries no answers; IXFR's SOA in the authority section is not spoken here.
  const sections = message.readUInt32BE(6);
  if (sections !== 0 && type !== RecordType.IXFR) return reject(asked, Rcode.FORMERR);
  const additional = sections === 0 ? parseAdditional(message, name.end + 4) : { edns: undefined };
  if (additional === undefined) return reject(asked, Rcode.FORMERR);
  const envelope = { ...asked, edns: additional.edns };
  const rcode = rejection({ type, klass: message.readUInt16BE(name.end + 2), edns: envelope.edns });
  if (rcode !== undefined) return reject(envelope, rcode);
  return { kind: 'accepted', envelope, question: { name: name.key, type } };
}

function rejection(asked: {
  readonly type: number;
  readonly klass: number;
  readonly edns: Edns | undefined;
}): Rcode | undefined {
  if (asked.edns !== undefined && asked.edns.version > 0) return Rcode.BADVERS;
  if (asked.klass !== CLASS_IN) return Rcode.REFUSED;
  if (asked.type === RecordType.OPT) return Rcode.FORMERR;
  // Zones travel through dom, never by transfer.
  if (asked.type === RecordType.AXFR || asked.type === RecordType.IXFR) return Rcode.REFUSED;
  return undefined;
}

/** The rest of the message must be exactly ARCOUNT records, one OPT at most. */
function parseAdditional(
  message: Buffer,
  start: number,
): { readonly edns: Edns | undefined } | undefined {
  let offset = start;
  let edns: Edns | undefined;
  for (let count = message.readUInt16BE(10); count > 0; count -= 1) {
    const fields = skipName(message, offset);
    if (fields === undefined || fields + 10 > message.length) return undefined;
    const end = fields + 10 + message.readUInt16BE(fields + 8);
    if (end > message.length) return undefined;
    if (message.readUInt16BE(fields) === RecordType.OPT) {
      const atRoot = fields === offset + 1;
      if (!atRoot || edns !== undefined) return undefined;
      edns = parseEdns(message.subarray(fields + 2, end));
      if (edns === undefined) return undefined;
    }
    offset = end;
  }
  return offset === message.length ? { edns } : undefined;
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
