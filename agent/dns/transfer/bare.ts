import { RecordType } from '../message/codes.ts';
import { EdnsOption, UDP_SIZE_BYTES, UDP_SIZE_BYTES_MIN } from '../message/edns.ts';
import { HEADER_BYTES } from '../message/message.ts';
import { findOpt, questionEnd } from './wire.ts';

export interface BareReply {
  readonly rcode: number;
  /** TC: ask again over TCP. */
  readonly truncated?: true;
  readonly extendedError?: number;
}

/** A reply to a message that holds nothing but its question and, if it had one, an OPT. */
export function bareReplyTo(message: Buffer, reply: BareReply): Buffer {
  // RFC 9619 §4: of several questions none is repeated, as everywhere else.
  const end = message.readUInt16BE(4) === 1 ? questionEnd(message) : undefined;
  const question = end === undefined ? Buffer.alloc(0) : message.subarray(HEADER_BYTES, end);
  const opt = optFor(message, reply.extendedError);
  const header = Buffer.alloc(HEADER_BYTES);
  const flags = message.readUInt16BE(2);
  header.writeUInt16BE(message.readUInt16BE(0), 0);
  // QR, then the opcode and RD as they were asked.
  header.writeUInt16BE(
    0x8000 | (flags & 0x7900) | (reply.truncated === true ? 0x0200 : 0) | reply.rcode,
    2,
  );
  header.writeUInt16BE(end === undefined ? 0 : 1, 4);
  header.writeUInt16BE(opt.length, 10);
  return Buffer.concat([header, question, ...opt]);
}

/** An OPT if the message had one (RFC 6891 §7), with what went wrong in it; as a list. */
export function optFor(message: Buffer, extendedError?: number): readonly Buffer[] {
  const asked = findOpt(message);
  if (asked === undefined) return [];
  const optionBytes = extendedError === undefined ? 0 : 6;
  const opt = Buffer.alloc(11 + optionBytes);
  opt.writeUInt16BE(RecordType.OPT, 1);
  opt.writeUInt16BE(UDP_SIZE_BYTES, 3);
  // RFC 3225 §3: the DO bit is copied.
  opt[7] = asked.dnssecOk ? 0x80 : 0;
  opt.writeUInt16BE(optionBytes, 9);
  if (extendedError !== undefined) {
    opt.writeUInt16BE(EdnsOption.EXTENDED_ERROR, 11);
    opt.writeUInt16BE(2, 13);
    opt.writeUInt16BE(extendedError, 15);
  }
  return [opt];
}

/** The most that this client takes over UDP (RFC 6891 §6.2.3, INV-25). */
export function udpSizeMax(message: Buffer): number {
  const asked = findOpt(message)?.udpSizeBytes ?? UDP_SIZE_BYTES_MIN;
  return Math.min(UDP_SIZE_BYTES, Math.max(UDP_SIZE_BYTES_MIN, asked));
}
