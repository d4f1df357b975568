import { parseAddress } from './address.ts';
import { RecordType } from './codes.ts';
import { type NameKey, parseName, ROOT } from './name.ts';
import { parseWords, unescapeText } from './presentation.ts';
import type { RecordData } from './rrset.ts';

/** Most bytes of one character-string (RFC 1035 §3.3). */
const STRING_BYTES_MAX = 255;
/** Most bytes of one record's data. */
const DATA_BYTES_MAX = 65_535;

export interface ParsedRecord {
  readonly data: RecordData;
  /** The name that the record leads to and whose addresses its reader will want. */
  readonly target: NameKey | undefined;
}

/**
 * One record from presentation format (RFC 1035 §5.1) to the wire. Names in it are absolute with
 * or without a final dot: whoever made the plan has resolved relative ones. Throws a RangeError
 * that says what is wrong.
 */
export function parseRecord(type: number, text: string): ParsedRecord {
  if (type === RecordType.TXT) return record(text, [parseStrings(text)]);
  const words = parseWords(text);
  switch (type) {
    case RecordType.A:
      return record(text, [parseAddressOf(only(words), { bytes: 4 })]);
    case RecordType.AAAA:
      return record(text, [parseAddressOf(only(words), { bytes: 16 })]);
    case RecordType.CNAME:
      return record(text, [parseTarget(only(words))]);
    case RecordType.NS:
      return withTarget(text, [], parseTarget(only(words)));
    case RecordType.MX: {
      const [preference, exchange] = expectWords(words, 2);
      return withTarget(text, [number16(preference)], parseTarget(exchange));
    }
    case RecordType.SRV: {
      const [priority, weight, port, host] = expectWords(words, 4);
      const fields = [number16(priority), number16(weight), number16(port)];
      const target = parseTarget(host);
      // RFC 2782: the target must not be compressed.
      return { ...record(text, [...fields, wireName(target)]), target };
    }
    case RecordType.CAA:
      return record(text, [parseCaa(words)]);
    default:
      throw new RangeError(`type ${type} cannot be served`);
  }
}

/** An uncompressed name. */
export function wireName(key: NameKey): Buffer {
  return Buffer.from(`${key}\0`, 'latin1');
}

function record(text: string, parts: RecordData['parts']): ParsedRecord {
  const sizeBytes = parts.reduce((sum, part) => sum + part.length, 0);
  if (sizeBytes > DATA_BYTES_MAX) throw new RangeError('longer than a record can be');
  return { data: { parts, text }, target: undefined };
}

function withTarget(text: string, fields: readonly Buffer[], target: NameKey): ParsedRecord {
  return { ...record(text, [...fields, target]), target: target === ROOT ? undefined : target };
}

/**
 * Text that does not begin with a quote is one string, spaces and all: `v=spf1 -all` in two strings
 * would be read without the space. Longer ones are cut where readers join them again.
 */
function parseStrings(text: string): Buffer {
  const strings = text.startsWith('"') ? parseWords(text) : [unescapeText(text)];
  return Buffer.concat(strings.flatMap(chunk).flatMap((part) => [Buffer.of(part.length), part]));
}

function chunk(string: Buffer): readonly Buffer[] {
  const count = Math.max(1, Math.ceil(string.length / STRING_BYTES_MAX));
  return Array.from({ length: count }, (_, index) =>
    string.subarray(index * STRING_BYTES_MAX, (index + 1) * STRING_BYTES_MAX),
  );
}

/** RFC 8659 §4.1: flags, tag, value. */
function parseCaa(words: readonly Buffer[]): Buffer {
  const [flags, tag, value] = expectWords(words, 3);
  const flagsByte = number16(flags);
  if (flagsByte[0] !== 0) throw new RangeError(`flags ${flags.toString()} are above 255`);
  if (!/^[a-z0-9]{1,255}$/i.test(tag.toString('latin1'))) {
    throw new RangeError(`tag ${tag.toString()} is not made of letters and digits`);
  }
  return Buffer.concat([flagsByte.subarray(1), Buffer.of(tag.length), tag, value]);
}

function parseAddressOf(word: Buffer, { bytes }: { readonly bytes: 4 | 16 }): Uint8Array {
  const address = parseAddress(word.toString());
  if (address?.length !== bytes) {
    throw new RangeError(`"${word.toString()}" is not an IPv${bytes === 4 ? 4 : 6} address`);
  }
  return address;
}

function parseTarget(word: Buffer): NameKey {
  const name = parseName(word.toString());
  if (name === undefined) throw new RangeError(`"${word.toString()}" is not a name`);
  return name;
}

function number16(word: Buffer): Buffer {
  const value = /^\d{1,5}$/.test(word.toString()) ? Number(word.toString()) : Number.NaN;
  if (!(value <= 0xffff)) throw new RangeError(`"${word.toString()}" is not 0 to 65535`);
  return Buffer.of(value >> 8, value & 0xff);
}

function only(words: readonly Buffer[]): Buffer {
  return expectWords(words, 1)[0];
}

type Words = readonly [Buffer, Buffer, Buffer, Buffer];

/** As many words as asked for, no more and no less; the rest of the tuple is not to be read. */
function expectWords(words: readonly Buffer[], count: 1 | 2 | 3 | 4): Words {
  if (words.length !== count) throw new RangeError(`needs ${count} fields, has ${words.length}`);
  const none = Buffer.alloc(0);
  const [first = none, second = none, third = none, fourth = none] = words;
  return [first, second, third, fourth];
}
