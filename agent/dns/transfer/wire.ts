import { RecordType } from '../message/codes.ts';
import { HEADER_BYTES } from '../message/message.ts';
import { LABEL_BYTES_MAX, NAME_BYTES_MAX } from '../message/name.ts';

/** A record in untrusted bytes: all of it lies within the message. */
export interface WireRecord {
  readonly section: 'answer' | 'authority' | 'additional';
  readonly type: number;
  readonly start: number;
  /** Where its type is, and after ten bytes its data. */
  readonly fields: number;
  readonly end: number;
  /** None of those that the header counts comes after it. */
  readonly isLast: boolean;
}

/** The records of a message, as far as they can be told apart. */
export function* walkRecords(message: Buffer): Generator<WireRecord> {
  const start = questionEnd(message);
  if (start === undefined) return;
  const answers = message.readUInt16BE(6);
  const authorities = answers + message.readUInt16BE(8);
  const all = authorities + message.readUInt16BE(10);
  let offset = start;
  for (let index = 0; index < all; index += 1) {
    const fields = skipName(message, offset);
    if (fields === undefined || fields + 10 > message.length) return;
    const end = fields + 10 + message.readUInt16BE(fields + 8);
    if (end > message.length) return;
    const section = index < answers ? 'answer' : index < authorities ? 'authority' : 'additional';
    const type = message.readUInt16BE(fields);
    yield { section, type, start: offset, fields, end, isLast: index === all - 1 };
    offset = end;
  }
}

/**
 * Whether a message is of the kind that nearly all are: one question, not for a zone, and nothing
 * beside it but an OPT. Looks at as little as it can, for every query passes here.
 */
export function isPlain(message: Buffer): boolean {
  if (message.length < HEADER_BYTES || message.readUInt16BE(4) !== 1) return false;
  const name = skipName(message, HEADER_BYTES);
  if (name === undefined || name + 4 > message.length) return true;
  const type = message.readUInt16BE(name);
  if (type === RecordType.AXFR || type === RecordType.IXFR) return false;
  const additional = message.readUInt16BE(10);
  if (additional === 0) return true;
  const opt = name + 4;
  const isOnlyOne = additional === 1 && message.readUInt32BE(6) === 0;
  return (
    isOnlyOne &&
    opt + 3 <= message.length &&
    message[opt] === 0 &&
    message.readUInt16BE(opt + 1) === RecordType.OPT
  );
}

/**
 * The offset after a name that may end in a pointer (RFC 1035 §4.1.4); where the pointer leads is
 * not looked at, but it must lead back. Undefined: malformed.
 */
export function skipName(message: Buffer, start: number): number | undefined {
  for (let offset = start; offset - start < NAME_BYTES_MAX; ) {
    const length = message[offset];
    if (length === undefined) return undefined;
    if (length === 0) return offset + 1;
    if (length >= 0xc0) {
      const target = ((length & 0x3f) << 8) | (message[offset + 1] ?? 0xff);
      return target >= HEADER_BYTES && target < start ? offset + 2 : undefined;
    }
    if (length > LABEL_BYTES_MAX) return undefined;
    offset += 1 + length;
  }
  return undefined;
}

/** Where the records begin. */
export function questionEnd(message: Buffer): number | undefined {
  if (message.length < HEADER_BYTES) return undefined;
  let offset = HEADER_BYTES;
  for (let count = message.readUInt16BE(4); count > 0; count -= 1) {
    const end = skipName(message, offset);
    if (end === undefined || end + 4 > message.length) return undefined;
    offset = end + 4;
  }
  return offset;
}

/** Of the OPT, if there is one: what the client takes over UDP, and whether it set DO. */
export function findOpt(
  message: Buffer,
): { readonly udpSizeBytes: number; readonly dnssecOk: boolean } | undefined {
  for (const { section, type, fields } of walkRecords(message)) {
    if (section !== 'additional' || type !== RecordType.OPT) continue;
    const dnssecOk = (message.readUInt8(fields + 6) & 0x80) !== 0;
    return { udpSizeBytes: message.readUInt16BE(fields + 2), dnssecOk };
  }
  return undefined;
}
