import { CLASS_ANY, RecordType } from '../message/codes.ts';
import { HEADER_BYTES } from '../message/message.ts';
import { type NameKey, readName } from '../message/name.ts';
import { walkRecords } from './wire.ts';

/** The TSIG record of a message (RFC 8945 §4.2), as it came. */
export interface TsigRecord {
  /** Where it begins: the message that was signed ends there. */
  readonly start: number;
  readonly keyName: NameKey;
  readonly algorithm: NameKey;
  /** Seconds since 1970. */
  readonly timeSignedS: number;
  readonly fudgeS: number;
  readonly mac: Buffer;
  readonly originalId: number;
  readonly error: number;
  readonly other: Buffer;
}

export type FoundTsig =
  | { readonly kind: 'none' }
  | { readonly kind: 'found'; readonly record: TsigRecord }
  /** Not the last record, more than one, or unreadable (RFC 8945 §5.1, §5.2). */
  | { readonly kind: 'malformed' };

const NONE: FoundTsig = { kind: 'none' };
const MALFORMED: FoundTsig = { kind: 'malformed' };

/** Finds the TSIG of untrusted bytes; of what else is wrong in them it says nothing. */
export function findTsig(message: Buffer): FoundTsig {
  if (message.length < HEADER_BYTES || message.readUInt16BE(10) === 0) return NONE;
  for (const { type, section, start, fields, end, isLast } of walkRecords(message)) {
    if (type !== RecordType.TSIG) continue;
    const isInPlace = section === 'additional' && isLast && end === message.length;
    const record = isInPlace ? readRecord(message, start, fields) : undefined;
    return record === undefined ? MALFORMED : { kind: 'found', record };
  }
  return NONE;
}

/** The signed message as it was before it was signed: without the record, and not counted. */
export function withoutTsig(message: Buffer, { start, originalId }: TsigRecord): Buffer {
  const bare = Buffer.from(message.subarray(0, start));
  bare.writeUInt16BE(originalId, 0);
  bare.writeUInt16BE(bare.readUInt16BE(10) - 1, 10);
  return bare;
}

/** `fields`: where its type is. */
function readRecord(message: Buffer, start: number, fields: number): TsigRecord | undefined {
  const name = readName(message, start);
  const algorithm = readName(message, fields + 10);
  // Neither is ever compressed; class ANY and TTL 0 are fixed.
  if (name?.end !== fields || algorithm === undefined) return undefined;
  if (message.readUInt16BE(fields + 2) !== CLASS_ANY) return undefined;
  if (message.readUInt32BE(fields + 4) !== 0) return undefined;
  const rest = message.subarray(algorithm.end);
  if (rest.length < 16) return undefined;
  const macEnd = 10 + rest.readUInt16BE(8);
  if (macEnd + 6 > rest.length) return undefined;
  const other = rest.subarray(macEnd + 6);
  if (other.length !== rest.readUInt16BE(macEnd + 4)) return undefined;
  return {
    start,
    keyName: name.key,
    algorithm: algorithm.key,
    timeSignedS: rest.readUIntBE(0, 6),
    fudgeS: rest.readUInt16BE(6),
    mac: rest.subarray(10, macEnd),
    originalId: rest.readUInt16BE(macEnd),
    error: rest.readUInt16BE(macEnd + 2),
    other,
  };
}

/** The message with the record at its end, and counted. */
export function withTsig(message: Uint8Array, record: Omit<TsigRecord, 'start'>): Buffer {
  const head = wireName(record.keyName);
  const algorithm = wireName(record.algorithm);
  const { mac, other } = record;
  const rdataBytes = algorithm.length + 16 + mac.length + other.length;
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(RecordType.TSIG, 0);
  fixed.writeUInt16BE(CLASS_ANY, 2);
  fixed.writeUInt16BE(rdataBytes, 8);
  const tail = Buffer.alloc(6);
  tail.writeUInt16BE(record.originalId, 0);
  tail.writeUInt16BE(record.error, 2);
  tail.writeUInt16BE(other.length, 4);
  const macSize = Buffer.of(mac.length >> 8, mac.length & 0xff);
  const whole = Buffer.concat([
    ...[message, head, fixed, algorithm, timers(record)],
    ...[macSize, mac, tail, other],
  ]);
  whole.writeUInt16BE(whole.readUInt16BE(10) + 1, 10);
  return whole;
}

/** Time signed and fudge, as they are signed and sent (RFC 8945 §4.3.3). */
export function timers(record: Pick<TsigRecord, 'timeSignedS' | 'fudgeS'>): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUIntBE(record.timeSignedS, 0, 6);
  bytes.writeUInt16BE(record.fudgeS, 6);
  return bytes;
}

/** Uncompressed, in lower case (RFC 4034 §6.2). */
export function wireName(key: NameKey): Buffer {
  return Buffer.from(`${key}\0`, 'latin1');
}
