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

export const TYPE_A = 1;
export const TYPE_NS = 2;
export const TYPE_SOA = 6;
export const TYPE_TXT = 16;
export const TYPE_AAAA = 28;
export const TYPE_OPT = 41;
const HEADER_BYTES = 12;

/**
 * Reads a reply on its own, so that a fault of the server's codec cannot hide itself. Throws for
 * bytes that are no DNS message from the first to the last.
 */
export function decodeReply(bytes: Uint8Array): DnsReply {
  const message = Buffer.from(bytes);
  const flags = message.readUInt16BE(2);
  const questionEnd = afterQuestions(message);
  const sections: DnsRecord[][] = [];
  const opts: Buffer[] = [];
  let at = questionEnd;
  for (const countAt of [6, 8, 10]) {
    const section: DnsRecord[] = [];
    for (let count = message.readUInt16BE(countAt); count > 0; count -= 1) {
      const read = readRecord(message, at);
      at = read.end;
      if (read.record.type === TYPE_OPT) opts.push(read.fields);
      else section.push(read.record);
    }
    sections.push(section);
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
    ...{ answer, authority, additional },
    edns: opts.length > 0 ? 'present' : 'absent',
    addresses: answer
      .filter(isAddress)
      .map(({ text }) => text)
      .toSorted(),
    serial: soa === undefined ? undefined : Number(soa.text),
  };
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
): { readonly record: DnsRecord; readonly fields: Buffer; readonly end: number } {
  const { name, end: at } = readName(message, start);
  const type = message.readUInt16BE(at);
  const data = at + 10;
  const end = data + message.readUInt16BE(at + 8);
  if (end > message.length) throw new RangeError('a record goes beyond the end');
  const record = { name: name.toLowerCase(), type, ttlS: message.readUInt32BE(at + 4) };
  const text = dataText(message, { type, data, end });
  return { record: { ...record, text }, fields: message.subarray(at, end), end };
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
