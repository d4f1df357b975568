import { parseTxtStrings } from '../../api/txt.ts';
import { parseAddress } from './address.ts';
import { RecordType } from './codes.ts';
import { type NameKey, parseName } from './name.ts';
import type { RecordData } from './rrset.ts';

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
  const words = text.trim().split(/\s+/);
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
      return record(text, [parseCaa(text)]);
    case RecordType.TXT:
      return record(
        text,
        parseStrings(text).flatMap((part) => [Buffer.of(part.length), part]),
      );
    default:
      throw new RangeError(`type ${type} cannot be served`);
  }
}

/** An uncompressed name. */
function wireName(key: NameKey): Buffer {
  return Buffer.from(`${key}\0`, 'latin1');
}

function record(text: string, parts: RecordData['parts']): ParsedRecord {
  return { data: { parts, text }, target: undefined };
}

function withTarget(text: string, fields: readonly Buffer[], target: NameKey): ParsedRecord {
  return { ...record(text, [...fields, target]), target };
}

/** As `apply` reads them, too, so that what was accepted is what is served. */
function parseStrings(text: string): readonly Uint8Array[] {
  const outcome = parseTxtStrings(text);
  if (outcome.kind === 'error') throw new RangeError(outcome.message);
  return outcome.strings;
}

/** RFC 8659 §4.1: flags, tag, and a value that may be quoted. */
function parseCaa(text: string): Buffer {
  const [, flags = '', tag = '', value = ''] =
    /^(\d+)\s+([a-z0-9]{1,255})\s+(\S.*)$/i.exec(text) ?? [];
  const strings = parseStrings(value);
  if (strings[0] === undefined || strings.length > 1 || value === '' || Number(flags) > 255) {
    throw new RangeError('is not flags, tag and value');
  }
  return Buffer.concat([Buffer.of(Number(flags), tag.length), Buffer.from(tag), strings[0]]);
}

function parseAddressOf(word: string, { bytes }: { readonly bytes: 4 | 16 }): Uint8Array {
  const address = parseAddress(word);
  if (address?.length !== bytes) {
    throw new RangeError(`"${word}" is not an IPv${bytes === 4 ? 4 : 6} address`);
  }
  return address;
}

function parseTarget(word: string): NameKey {
  const name = parseName(word);
  if (name === undefined) throw new RangeError(`"${word}" is not a name`);
  return name;
}

function number16(word: string): Buffer {
  const value = /^\d{1,5}$/.test(word) ? Number(word) : Number.NaN;
  if (!(value <= 0xffff)) throw new RangeError(`"${word}" is not 0 to 65535`);
  return Buffer.of(value >> 8, value & 0xff);
}

function only(words: readonly string[]): string {
  return expectWords(words, 1)[0];
}

/** As many words as asked for, no more and no less; the rest of the tuple is not to be read. */
function expectWords(
  words: readonly string[],
  count: 1 | 2 | 3 | 4,
): readonly [string, string, string, string] {
  if (words.length !== count) throw new RangeError(`needs ${count} fields, has ${words.length}`);
  const [first = '', second = '', third = '', fourth = ''] = words;
  return [first, second, third, fourth];
}
