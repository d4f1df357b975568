import { RecordType } from '../message/codes.ts';
import { HEADER_BYTES } from '../message/message.ts';

/**
 * The reply with nothing but its question and OPT record, and TC set: who really asked comes again
 * by TCP (RFC 2181 §9, RFC 6891 §7). `reply` is one of our own; it is not changed.
 */
export function cutReply(reply: Buffer): Buffer {
  const questions = reply.readUInt16BE(4);
  let at = HEADER_BYTES;
  for (let count = questions; count > 0; count -= 1) at = afterName(reply, at) + 4;
  const questionEnd = at;
  let opt = reply.subarray(0, 0);
  for (let count = recordCount(reply); count > 0; count -= 1) {
    const fields = afterName(reply, at);
    const end = fields + 10 + reply.readUInt16BE(fields + 8);
    if (reply.readUInt16BE(fields) === RecordType.OPT) opt = reply.subarray(at, end);
    at = end;
  }
  const cut = Buffer.concat([reply.subarray(0, questionEnd), opt]);
  cut[2] = (cut[2] ?? 0) | 0x02;
  cut.fill(0, 6, HEADER_BYTES);
  cut.writeUInt16BE(opt.length === 0 ? 0 : 1, 10);
  return cut;
}

function recordCount(reply: Buffer): number {
  return reply.readUInt16BE(6) + reply.readUInt16BE(8) + reply.readUInt16BE(10);
}

function afterName(reply: Buffer, start: number): number {
  let at = start;
  for (;;) {
    const length = reply.readUInt8(at);
    if (length >= 0xc0) return at + 2;
    if (length === 0) return at + 1;
    at += 1 + length;
  }
}
