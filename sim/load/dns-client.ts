/** What a resolver reads out of a reply. */
export interface DnsReply {
  readonly id: number;
  readonly kind: 'query' | 'response';
  readonly opcode: number;
  /** With the upper bits that EDNS adds (RFC 6891 §6.1.3). */
  readonly rcode: number;
  /** TC: what there is to say did not fit. */
  readonly form: 'whole' | 'cut';
  /** The bytes of the question section, hex. */
  readonly question: string;
  readonly answer: readonly DnsRecord[];
  readonly authority: readonly DnsRecord[];
  /** Without the OPT record. */
  readonly additional: readonly DnsRecord[];
  /** The RRSIG records, which are in none of these. */
  readonly signatures: readonly DnsSignature[];
  /** The data of the COOKIE option (RFC 7873 §4); undefined: there is none. */
  readonly cookie: Uint8Array | undefined;
  readonly edns: 'absent' | 'present';
  /** IPv4 addresses of the A records in the answer, sorted. */
  readonly addresses: readonly string[];
  /** Of the SOA in answer or authority; undefined: there is none. */
  readonly serial: number | undefined;
}

export interface DnsRecord {
  /** Lower case, without a final dot. */
  readonly name: string;
  readonly type: number;
  readonly ttlS: number;
  /** As in a zone file, but TXT without quotes and SOA with its serial alone; else hex. */
  readonly text: string;
}

/** RFC 4034 §3.1. */
export interface DnsSignature {
  readonly section: 'answer' | 'authority' | 'additional';
  readonly name: string;
  /** The type of the records that it is for. */
  readonly covers: number;
  readonly keyTag: number;
  readonly signer: string;
  /** Seconds since 1970, modulo 2^32. */
  readonly fromS: number;
  readonly untilS: number;
}

export const TYPE_A = 1;
export const TYPE_NS = 2;
export const TYPE_SOA = 6;
export const TYPE_TXT = 16;
export const TYPE_AAAA = 28;
export const TYPE_OPT = 41;
const TYPE_RRSIG = 46;
export const TYPE_NSEC = 47;
export const TYPE_DNSKEY = 48;
const OPTION_COOKIE = 10;
/** Of the fields of an OPT record, from its type on, before its options. */
const OPT_FIELDS_BYTES = 10;
const HEADER_BYTES = 12;
/** Of a name: 255 bytes (RFC 1035 §2.3.4). */
const LABELS_MAX = 127;

const replies = new WeakMap<Uint8Array, DnsReply>();

/** As `decodeReply`, once for all: who asked and many checks want to know, and nobody writes into it. */
export function readReply(bytes: Uint8Array): DnsReply {
  const known = replies.get(bytes);
  if (known !== undefined) return known;
  const reply = decodeReply(bytes);
  replies.set(bytes, reply);
  return reply;
}

/**
 * Reads a reply on its own, so that a fault of the server's codec cannot hide itself. Throws for
 * bytes that are no DNS message from the first to the last.
 */
export function decodeReply(bytes: Uint8Array): DnsReply {
  const message = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const flags = message.readUInt16BE(2);
  const questionEnd = afterQuestions(message);
  const sections: DnsRecord[][] = [];
  const opts: Buffer[] = [];
  const signatures: DnsSignature[] = [];
  let at = questionEnd;
  for (const [section, countAt] of SECTIONS) {
    const records: DnsRecord[] = [];
    for (let count = message.readUInt16BE(countAt); count > 0; count -= 1) {
      const read = readRecord(message, at);
      const { record, fields } = read;
      if (record.type === TYPE_OPT) opts.push(fields);
      else if (record.type === TYPE_RRSIG)
        signatures.push({ section, name: record.name, ...readSignature(message, read.data) });
      else records.push(record);
      at = read.end;
    }
    sections.push(records);
  }
  if (at !== message.length) throw new RangeError(`${message.length - at} bytes too many`);
  const [answer = [], authority = [], additional = []] = sections;
  const isAddress = ({ type }: DnsRecord): boolean => type === TYPE_A;
  const soa = [...answer, ...authority].find(({ type }) => type === TYPE_SOA);
  return {
    id: message.readUInt16BE(0),
    kind: flags >= 0x8000 ? 'response' : 'query',
    opcode: (flags >> 11) & 0xf,
    rcode: (flags & 0xf) + ((opts[0]?.readUInt8(4) ?? 0) << 4),
    form: (flags & 0x0200) === 0 ? 'whole' : 'cut',
    question: message.subarray(HEADER_BYTES, questionEnd).toString('hex'),
    ...{ answer, authority, additional, signatures },
    cookie: opts[0] && cookieOf(opts[0]),
    edns: opts.length > 0 ? 'present' : 'absent',
    addresses: answer
      .filter(isAddress)
      .map(({ text }) => text)
      .toSorted(),
    serial: soa === undefined ? undefined : Number(soa.text),
  };
}

const SECTIONS = [
  ['answer', 6],
  ['authority', 8],
  ['additional', 10],
] as const;

/** `at`: where its data begins. */
function readSignature(message: Buffer, at: number): Omit<DnsSignature, 'section' | 'name'> {
  return {
    covers: message.readUInt16BE(at),
    untilS: message.readUInt32BE(at + 8),
    fromS: message.readUInt32BE(at + 12),
    keyTag: message.readUInt16BE(at + 16),
    signer: readName(message, at + 18).name.toLowerCase(),
  };
}

function cookieOf(opt: Buffer): Uint8Array | undefined {
  for (let at = OPT_FIELDS_BYTES; at < opt.length; ) {
    const end = at + 4 + opt.readUInt16BE(at + 2);
    if (opt.readUInt16BE(at) === OPTION_COOKIE) return Uint8Array.from(opt.subarray(at + 4, end));
    at = end;
  }
  return undefined;
}

function afterQuestions(message: Buffer): number {
  let at = HEADER_BYTES;
  for (let count = message.readUInt16BE(4); count > 0; count -= 1)
    at = readName(message, at).end + 4;
  return at;
}

/** `fields`: the record from its type on. */
function readRecord(
  message: Buffer,
  start: number,
): {
  readonly record: DnsRecord;
  readonly fields: Buffer;
  readonly data: number;
  readonly end: number;
} {
  const { name, end: at } = readName(message, start);
  const type = message.readUInt16BE(at);
  const data = at + 10;
  const end = data + message.readUInt16BE(at + 8);
  if (end > message.length) throw new RangeError('a record goes beyond the end');
  const record = { name: name.toLowerCase(), type, ttlS: message.readUInt32BE(at + 4) };
  const text = dataText(message, { type, data, end });
  return { record: { ...record, text }, fields: message.subarray(at, end), data, end };
}

function dataText(
  message: Buffer,
  { type, data, end }: { readonly type: number; readonly data: number; readonly end: number },
): string {
  switch (type) {
    case TYPE_A:
      return [...message.subarray(data, end)].join('.');
    case TYPE_NS:
      return readName(message, data).name.toLowerCase();
    case TYPE_SOA:
      return String(message.readUInt32BE(readName(message, readName(message, data).end).end));
    case TYPE_TXT: {
      const strings: string[] = [];
      for (let at = data; at < end; at += 1 + message.readUInt8(at))
        strings.push(message.toString('latin1', at + 1, at + 1 + message.readUInt8(at)));
      return strings.join('');
    }
    default:
      return message.toString('hex', data, end);
  }
}

/** A name, which may end in a pointer to an earlier one (RFC 1035 §4.1.4), and where it ends. */
export function readName(
  message: Buffer,
  start: number,
): { readonly name: string; readonly end: number } {
  const labels: string[] = [];
  let end: number | undefined;
  for (let at = start; ; ) {
    const length = message.readUInt8(at);
    // Between a pointer back and itself there may be labels, round and round.
    if (labels.length > LABELS_MAX) throw new RangeError('a name has too many labels');
    if (length >= 0xc0) {
      end ??= at + 2;
      const target = message.readUInt16BE(at) & 0x3fff;
      if (target >= at) throw new RangeError('a name points forward');
      at = target;
    } else if (length === 0) {
      return { name: labels.join('.'), end: end ?? at + 1 };
    } else {
      labels.push(message.toString('latin1', at + 1, at + 1 + length));
      at += 1 + length;
    }
  }
}
