import type { ZonePlan } from '../../../proto/gen/b8s/v1/plan.ts';
import { CLASS_IN, RecordType } from '../message/codes.ts';
import { HEADER_BYTES } from '../message/message.ts';
import { parseName, ROOT } from '../message/name.ts';
import { SOA_TTL_S } from '../zone/compile-zone.ts';
import { isSignedReply, signRequest, type TsigKey } from './tsig.ts';
import { findTsig, wireName } from './tsig-record.ts';

const OPCODE_NOTIFY = 4;

/** A NOTIFY, and what answers it. */
export interface NotifyRequest {
  readonly message: Buffer;
  /** Whether a datagram answers this very one, in whatever words. */
  readonly isReply: (reply: Uint8Array) => boolean;
}

/** Tells that a zone has a new version, with its SOA as a hint (RFC 1996 §3.7). */
export function notifyRequest(
  plan: ZonePlan,
  given: { readonly id: number; readonly key: TsigKey | undefined; readonly nowS: number },
): NotifyRequest {
  const { id, key, nowS } = given;
  const bare = bareMessage(plan, id);
  const message = key === undefined ? bare : signRequest(bare, key, nowS);
  const tsig = findTsig(message);
  const requestMac = tsig.kind === 'found' ? tsig.record.mac : Buffer.alloc(0);
  return {
    message,
    isReply: (bytes) => {
      const reply = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      if (!isAnswer(reply, id)) return false;
      // Whoever does not know our key cannot sign that it does not.
      if (key === undefined || rcodeOf(reply) !== 0) return true;
      const found = findTsig(reply);
      return found.kind === 'found' && isSignedReply(reply, found.record, { key, requestMac });
    },
  };
}

/** Of a reply that `isReply` took; 0: it has understood. */
export function rcodeOf(reply: Uint8Array): number {
  return (reply[3] ?? 0) & 0xf;
}

function isAnswer(reply: Buffer, id: number): boolean {
  if (reply.length < HEADER_BYTES || reply.readUInt16BE(0) !== id) return false;
  const flags = reply.readUInt16BE(2);
  return flags >= 0x8000 && ((flags >> 11) & 0xf) === OPCODE_NOTIFY;
}

function bareMessage(plan: ZonePlan, id: number): Buffer {
  const [origin, nameserver, mailbox] = [plan.origin, plan.primaryNameserver, plan.mailbox].map(
    (text) => wireName(parseName(text) ?? ROOT),
  );
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(id, 0);
  // Authoritative, as every primary sends it; one question, one answer.
  header.writeUInt16BE((OPCODE_NOTIFY << 11) | 0x0400, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(1, 6);
  const numbers = [plan.serial, plan.refreshS, plan.retryS, plan.expireS, plan.negativeTtlS];
  const fixed = Buffer.alloc(4 * numbers.length);
  for (const [index, number] of numbers.entries()) fixed.writeUInt32BE(number, 4 * index);
  const rdata = Buffer.concat([nameserver ?? ROOT_NAME, mailbox ?? ROOT_NAME, fixed]);
  const record = Buffer.alloc(10);
  record.writeUInt16BE(RecordType.SOA, 0);
  record.writeUInt16BE(CLASS_IN, 2);
  record.writeUInt32BE(SOA_TTL_S, 4);
  record.writeUInt16BE(rdata.length, 8);
  const question = Buffer.concat([origin ?? ROOT_NAME, Buffer.of(0, RecordType.SOA, 0, CLASS_IN)]);
  // The record's owner is the question's name.
  const pointer = Buffer.of(0xc0, HEADER_BYTES);
  return Buffer.concat([header, question, pointer, record, rdata]);
}

const ROOT_NAME = Buffer.of(0);
