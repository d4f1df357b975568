import { CLASS_IN, RecordType } from '../message/codes.ts';
import { HEADER_BYTES } from '../message/message.ts';
import { type NameKey, readName } from '../message/name.ts';
import { skipName } from './wire.ts';

/** A question for a whole zone, or for what changed in it. */
export interface TransferRequest {
  readonly id: number;
  readonly recursionDesired: boolean;
  readonly question: Buffer;
  readonly origin: NameKey;
  readonly kind: 'AXFR' | 'IXFR';
  /** IXFR: of the version that the client has. */
  readonly serial: number;
}

export type ReadRequest =
  | { readonly kind: 'other' }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'transfer'; readonly request: TransferRequest };

const OTHER: ReadRequest = { kind: 'other' };
const MALFORMED: ReadRequest = { kind: 'malformed' };

/** Whether an unsigned message asks for a transfer, and for which; never throws. */
export function readRequest(message: Buffer): ReadRequest {
  if (message.length < HEADER_BYTES) return OTHER;
  const flags = message.readUInt16BE(2);
  // A response, or not a query.
  if ((flags & 0xf800) !== 0 || message.readUInt16BE(4) !== 1) return OTHER;
  const name = readName(message, HEADER_BYTES);
  if (name === undefined || name.end + 4 > message.length) return OTHER;
  const type = message.readUInt16BE(name.end);
  if (type !== RecordType.AXFR && type !== RecordType.IXFR) return OTHER;
  if (message.readUInt16BE(name.end + 2) !== CLASS_IN) return OTHER;
  const kind = type === RecordType.AXFR ? 'AXFR' : 'IXFR';
  const serial = kind === 'AXFR' ? 0 : readSerial(message, name.end + 4);
  if (serial === undefined) return MALFORMED;
  const request = {
    id: message.readUInt16BE(0),
    recursionDesired: (flags & 0x0100) !== 0,
    question: message.subarray(HEADER_BYTES, name.end + 4),
    origin: name.key,
    kind,
    serial,
  } as const;
  return { kind: 'transfer', request };
}

/** Of the SOA in the authority section (RFC 1995 §3). */
function readSerial(message: Buffer, start: number): number | undefined {
  if (message.readUInt16BE(6) !== 0 || message.readUInt16BE(8) !== 1) return undefined;
  const fields = skipName(message, start);
  if (fields === undefined || fields + 10 > message.length) return undefined;
  if (message.readUInt16BE(fields) !== RecordType.SOA) return undefined;
  const end = fields + 10 + message.readUInt16BE(fields + 8);
  const mailbox = skipName(message, fields + 10);
  const numbers = mailbox === undefined ? undefined : skipName(message, mailbox);
  if (numbers === undefined || numbers + 20 !== end || end > message.length) return undefined;
  return message.readUInt32BE(numbers);
}
