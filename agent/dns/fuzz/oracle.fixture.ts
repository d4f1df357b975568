import packet from 'dns-packet';
import type { DnsClient } from '../answer.ts';

/** Bytes of a UDP reply: without EDNS, and at most (RFC 1035 §4.2.1, INV-25). */
const PLAIN_BYTES_MAX = 512;
const UDP_BYTES_MAX = 1232;

/**
 * What must hold of a reply, whatever was asked. Throws an error that says what does not, for a
 * person. Reads with an independent decoder, so that a fault of our codec cannot hide itself.
 */
export function checkReply(
  query: Buffer,
  reply: Buffer | undefined,
  transport: DnsClient['transport'],
): void {
  const isQuery = query.length >= 12 && query.readUInt8(2) < 0x80;
  demand(isQuery === (reply !== undefined), 'a query is answered once, and nothing else is');
  if (reply === undefined) return;
  demand(reply.length >= 12, 'a header');
  demand(reply.readUInt16BE(0) === query.readUInt16BE(0), 'the id is echoed');
  demand(reply.readUInt8(2) >= 0x80, 'QR is set');
  demand((reply.readUInt8(2) & 0x78) === (query.readUInt8(2) & 0x78), 'the opcode is echoed');
  demand((reply.readUInt8(3) & 0xc0) === 0, 'RA and Z are clear');
  const questions = reply.readUInt16BE(4);
  demand(questions <= 1, 'one question at most');
  if (questions === 1) {
    const end = questionEnd(reply);
    demand(reply.subarray(12, end).equals(query.subarray(12, end)), 'the question is echoed');
  }
  checkRecords(reply);
  if (transport !== 'udp') return;
  const bytesMax = udpBytesMax(query);
  demand(reply.length <= bytesMax, `${reply.length} bytes are at most ${bytesMax}`);
}

function checkRecords(reply: Buffer): void {
  const decoded = packet.decode(reply);
  demand(packet.decode.bytes === reply.length, 'the records end where the reply does');
  const opts = decoded.additionals?.filter(({ type }) => type === 'OPT') ?? [];
  demand(opts.length <= 1, 'one OPT at most');
}

/** The most that this very query allows, if it is well-formed (RFC 6891 §6.2.3). */
function udpBytesMax(query: Buffer): number {
  try {
    const opt = packet.decode(query).additionals?.find(({ type }) => type === 'OPT');
    const asked = opt?.type === 'OPT' ? opt.udpPayloadSize : PLAIN_BYTES_MAX;
    return Math.min(UDP_BYTES_MAX, Math.max(PLAIN_BYTES_MAX, asked));
  } catch {
    return UDP_BYTES_MAX;
  }
}

function questionEnd(reply: Buffer): number {
  let offset = 12;
  while (reply.readUInt8(offset) !== 0) offset += 1 + reply.readUInt8(offset);
  return offset + 5;
}

function demand(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(`not so: ${what}`);
}
