/** What was said over the wire, in a form in which two servers' words can be compared. */
export interface Message {
  readonly id: number;
  /** Names of the bits that are set, with the opcode: `QR AA RD opcode=0`. */
  readonly flags: readonly string[];
  readonly opcode: number;
  /** With the upper bits that EDNS adds (RFC 6891 §6.1.3). */
  readonly rcode: number;
  /** The question section's bytes in hex: names as they were written. */
  readonly question: string;
  /** Each record as `owner TTL CLASS TYPE data`; sorted, for order means nothing (RFC 2181 §5). */
  readonly answer: readonly string[];
  readonly authority: readonly string[];
  /** Without the OPT record. */
  readonly additional: readonly string[];
  readonly edns: OptRecord | undefined;
  readonly sizeBytes: number;
}

export interface OptRecord {
  readonly version: number;
  readonly udpSizeBytes: number;
  readonly flags: number;
  readonly options: ReadonlyMap<number, string>;
}

/** Types by name, as many as the tests speak of (IANA's registry). */
export const TYPES: Readonly<Record<string, number>> = {
  ...{ A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, HINFO: 13, MX: 15, TXT: 16, AAAA: 28, LOC: 29 },
  ...{ SRV: 33, NAPTR: 35, DNAME: 39, OPT: 41, DS: 43, SSHFP: 44, RRSIG: 46, NSEC: 47 },
  ...{ DNSKEY: 48, NSEC3: 50, NSEC3PARAM: 51, TLSA: 52, CDS: 59, CDNSKEY: 60, SVCB: 64 },
  ...{ HTTPS: 65, TKEY: 249, TSIG: 250, IXFR: 251, AXFR: 252, MAILB: 253, MAILA: 254 },
  ...{ ANY: 255, URI: 256, CAA: 257 },
};
const TYPE_NAMES = new Map(Object.entries(TYPES).map(([name, number]) => [number, name]));

/** `AAAA` → 28, `TYPE65280` → 65280. */
export function typeNumber(name: string): number {
  return TYPES[name] ?? Number(name.replace('TYPE', ''));
}

/** `28` → `AAAA`, `65280` → `TYPE65280`. */
export function typeText(type: number): string {
  return TYPE_NAMES.get(type) ?? `TYPE${type}`;
}

const HEADER_BYTES = 12;
const FLAGS: readonly (readonly [string, number])[] = [
  ...([
    ['QR', 0x8000],
    ['AA', 0x0400],
    ['TC', 0x0200],
    ['RD', 0x0100],
  ] as const),
  ...([
    ['RA', 0x0080],
    ['Z', 0x0040],
    ['AD', 0x0020],
    ['CD', 0x0010],
  ] as const),
];

/** Throws for bytes that are no DNS message from the first to the last. */
export function decodeMessage(bytes: Uint8Array): Message {
  const message = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flags = message.readUInt16BE(2);
  const questionEnd = afterQuestions(message);
  const opts: OptRecord[] = [];
  let extendedRcode = 0;
  let at = questionEnd;
  const [answer = [], authority = [], additional = []] = [6, 8, 10].map((countAt) => {
    const section: string[] = [];
    for (let count = message.readUInt16BE(countAt); count > 0; count -= 1) {
      const record = readRecord(message, at);
      at = record.end;
      if (record.type !== TYPES['OPT']) section.push(record.text);
      else {
        opts.push(readOpt(message, record));
        extendedRcode = record.ttlS >>> 24;
      }
    }
    return section.toSorted();
  });
  if (at !== message.length) throw new RangeError(`${message.length - at} bytes too many`);
  if (opts.length > 1) throw new RangeError('more than one OPT');
  return {
    id: message.readUInt16BE(0),
    flags: FLAGS.filter(([, bit]) => (flags & bit) !== 0).map(([name]) => name),
    opcode: (flags >> 11) & 0xf,
    rcode: (flags & 0xf) | (extendedRcode << 4),
    question: message.toString('hex', HEADER_BYTES, questionEnd),
    ...{ answer, authority, additional },
    edns: opts[0],
    sizeBytes: message.length,
  };
}

function afterQuestions(message: Buffer): number {
  let at = HEADER_BYTES;
  for (let count = message.readUInt16BE(4); count > 0; count -= 1)
    at = readName(message, at).end + 4;
  return at;
}

interface WireRecord {
  readonly type: number;
  readonly klass: number;
  readonly ttlS: number;
  readonly dataAt: number;
  readonly end: number;
  readonly text: string;
}

function readRecord(message: Buffer, start: number): WireRecord {
  const { name, end: at } = readName(message, start);
  const type = message.readUInt16BE(at);
  const klass = message.readUInt16BE(at + 2);
  const ttlS = message.readUInt32BE(at + 4);
  const dataAt = at + 10;
  const end = dataAt + message.readUInt16BE(at + 8);
  if (end > message.length) throw new RangeError('a record goes beyond the end');
  const data = dataText(message, { type, dataAt, end });
  const text = [name.toLowerCase(), ttlS, klass, typeText(type), data].join(' ');
  return { type, klass, ttlS, dataAt, end, text };
}

/** How many bytes come before the names in a record's data; names there may be compressed. */
const NAMES_AFTER: Readonly<Record<number, number>> = {
  2: 0,
  5: 0,
  6: 0,
  12: 0,
  15: 2,
  33: 6,
  64: 2,
  65: 2,
};

/** Bytes in hex, names spelt out (RFC 3597 §4: only those of old types may be compressed). */
function dataText(
  message: Buffer,
  { type, dataAt, end }: { readonly type: number; readonly dataAt: number; readonly end: number },
): string {
  const before = NAMES_AFTER[type];
  if (before === undefined || dataAt === end) return message.toString('hex', dataAt, end);
  const parts = [message.toString('hex', dataAt, dataAt + before)];
  let at = dataAt + before;
  for (let names = type === TYPES['SOA'] ? 2 : 1; names > 0; names -= 1) {
    const read = readName(message, at);
    parts.push(read.name.toLowerCase());
    at = read.end;
  }
  if (at > end) throw new RangeError('a name goes beyond its record');
  return [...parts, message.toString('hex', at, end)].filter((part) => part !== '').join(' ');
}

function readOpt(message: Buffer, { klass, ttlS, dataAt, end }: WireRecord): OptRecord {
  const options = new Map<number, string>();
  for (let at = dataAt; at < end; ) {
    const length = message.readUInt16BE(at + 2);
    if (at + 4 + length > end) throw new RangeError('an option goes beyond its record');
    options.set(message.readUInt16BE(at), message.toString('hex', at + 4, at + 4 + length));
    at += 4 + length;
  }
  return { version: (ttlS >> 16) & 0xff, udpSizeBytes: klass, flags: ttlS & 0xffff, options };
}

function readName(message: Buffer, start: number): { readonly name: string; readonly end: number } {
  let name = '';
  let end: number | undefined;
  for (let at = start; ; ) {
    const length = message.readUInt8(at);
    if (length === 0) return { name: name === '' ? '.' : name, end: end ?? at + 1 };
    if (length >= 0xc0) {
      end ??= at + 2;
      const target = message.readUInt16BE(at) & 0x3fff;
      if (target >= at) throw new RangeError('a name points forward');
      at = target;
    } else {
      if (length > 63) throw new RangeError('a label of a kind that nobody uses');
      name += `${escaped(message.subarray(at + 1, at + 1 + length))}.`;
      at += 1 + length;
    }
  }
}

/** RFC 1035 §5.1: what is neither a letter, a digit nor harmless is written `\DDD`. */
function escaped(label: Buffer): string {
  return [...label]
    .map((byte) => {
      const char = String.fromCharCode(byte);
      return /[\w*-]/.test(char) ? char : `\\${String(byte).padStart(3, '0')}`;
    })
    .join('');
}
