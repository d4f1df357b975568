import { type DnsMessage, type DnsRecord, DnsType } from './client.ts';

const CLASS_IN = 1;
const HEADER_BYTES = 12;
/** What is taken over UDP: no fragments on common paths. */
const UDP_BYTES_MAX = 1232;

export interface DnsQueryInput {
  readonly id: number;
  readonly name: string;
  readonly type: number;
  readonly recursion: 'wished' | 'unwished';
}

/** A query with EDNS and the DO bit. Throws a RangeError for what is no domain name. */
export function encodeQuery({ id, name, type, recursion }: DnsQueryInput): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(id, 0);
  header[2] = recursion === 'wished' ? 0x01 : 0;
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(1, 10);
  const fields = Buffer.alloc(4);
  fields.writeUInt16BE(type, 0);
  fields.writeUInt16BE(CLASS_IN, 2);
  const opt = Buffer.alloc(11);
  opt.writeUInt16BE(DnsType.OPT, 1);
  opt.writeUInt16BE(UDP_BYTES_MAX, 3);
  opt[7] = 0x80;
  return Buffer.concat([header, encodeName(name), fields, opt]);
}

/** Untrusted bytes to a message. Throws a RangeError for what is none from first to last byte. */
export function decodeMessage(bytes: Uint8Array): DnsMessage {
  const message = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (message.length < HEADER_BYTES) throw new RangeError('shorter than a header');
  const flags = message.readUInt16BE(2);
  let at = HEADER_BYTES;
  const questions: { name: string; type: number }[] = [];
  for (let count = message.readUInt16BE(4); count > 0; count -= 1) {
    const { name, end } = readName(message, at);
    questions.push({ name, type: message.readUInt16BE(end) });
    at = end + 4;
  }
  const [answer = [], authority = [], additional = []] = [6, 8, 10].map((countAt) => {
    const section: DnsRecord[] = [];
    for (let count = message.readUInt16BE(countAt); count > 0; count -= 1) {
      const { record, end } = readRecord(message, at);
      if (record.type !== DnsType.OPT) section.push(record);
      at = end;
    }
    return section;
  });
  return {
    id: message.readUInt16BE(0),
    kind: flags >= 0x8000 ? 'response' : 'query',
    rcode: flags & 0xf,
    source: (flags & 0x0400) === 0 ? 'other' : 'authority',
    form: (flags & 0x0200) === 0 ? 'whole' : 'cut',
    question: questions.length === 1 ? questions[0] : undefined,
    ...{ answer, authority, additional },
  };
}

function encodeName(name: string): Buffer {
  const bare = name.replace(/\.$/, '');
  const labels = bare === '' ? [] : bare.split('.');
  if (!labels.every((label) => /^[!-~]{1,63}$/.test(label)))
    throw new RangeError(`"${name}" is not a domain name`);
  const parts = labels.map((label) => Buffer.from(`\0${label}`, 'latin1'));
  for (const part of parts) part[0] = part.length - 1;
  const wire = Buffer.concat([...parts, Buffer.of(0)]);
  if (wire.length > 255) throw new RangeError(`"${name}" is longer than a domain name can be`);
  return wire;
}

function readRecord(
  message: Buffer,
  start: number,
): { readonly record: DnsRecord; readonly end: number } {
  const { name, end: at } = readName(message, start);
  const type = message.readUInt16BE(at);
  const ttlS = message.readUInt32BE(at + 4);
  const data = at + 10;
  const end = data + message.readUInt16BE(at + 8);
  if (end > message.length) throw new RangeError('a record goes beyond the end');
  return { record: { name, type, ttlS, text: dataText(message, { type, data, end }) }, end };
}

function dataText(
  message: Buffer,
  { type, data, end }: { readonly type: number; readonly data: number; readonly end: number },
): string {
  switch (type) {
    case DnsType.A:
      return [...message.subarray(data, end)].join('.');
    case DnsType.AAAA:
      return ipv6Text(message.subarray(data, end));
    case DnsType.NS:
      return readName(message, data).name;
    case DnsType.SOA: {
      const primary = readName(message, data);
      const mailbox = readName(message, primary.end);
      const numbers = [0, 4, 8, 12, 16].map((at) => message.readUInt32BE(mailbox.end + at));
      return `${primary.name} ${mailbox.name} ${numbers.join(' ')}`;
    }
    case DnsType.DS:
    case DnsType.CDS: {
      const [tag, algorithm, digestType] = [
        message.readUInt16BE(data),
        message.readUInt8(data + 2),
        message.readUInt8(data + 3),
      ];
      const digest = message.toString('hex', data + 4, end);
      return `${tag} ${algorithm} ${digestType} ${digest}`;
    }
    default:
      return message.toString('hex', data, end);
  }
}

/** As RFC 5952 asks, which is how URL writes it, too. */
function ipv6Text(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(2 * index));
  const text = groups.map((group) => group.toString(16)).join(':');
  return new URL(`http://[${text}]`).hostname.slice(1, -1);
}

/** A name, which may end in a pointer to an earlier one (RFC 1035 §4.1.4), and where it ends. */
function readName(message: Buffer, start: number): { readonly name: string; readonly end: number } {
  const labels: string[] = [];
  let end: number | undefined;
  for (let at = start; ; ) {
    const length = message.readUInt8(at);
    if (length >= 0xc0) {
      end ??= at + 2;
      const target = message.readUInt16BE(at) & 0x3fff;
      // Pointers lead back, so that they come to an end.
      if (target >= at || labels.length > 127) throw new RangeError('a name points forward');
      at = target;
    } else if (length === 0) {
      return { name: labels.join('.').toLowerCase() || '.', end: end ?? at + 1 };
    } else if (length > 63 || labels.length > 127) {
      throw new RangeError('a label is too long, or a name has too many');
    } else {
      if (at + 1 + length > message.length) throw new RangeError('a name goes beyond the end');
      labels.push(labelText(message.toString('latin1', at + 1, at + 1 + length)));
      at += 1 + length;
    }
  }
}

/** RFC 1035 §5.1: what could be taken for something else is escaped. */
function labelText(label: string): string {
  return label.replace(/[^!-~]|[.\\]/g, (character) =>
    /[.\\]/.test(character)
      ? `\\${character}`
      : `\\${String(character.charCodeAt(0)).padStart(3, '0')}`,
  );
}
