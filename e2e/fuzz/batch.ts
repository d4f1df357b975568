import type { Socket } from 'node:net';
import { queryBytes } from '../../agent/dns/dns.fixture.ts';
import { closeOf } from '../../runtime/node/close-of.ts';

export interface Batch {
  readonly port: number;
  readonly inputs: readonly Buffer[];
}

/** How long an answer may take on a busy machine. */
export const LIVENESS_MS_MAX = 10_000;

const LIVENESS_ID = 0xa11e;
export const LIVENESS: Buffer = queryBytes('ns1.example.com', 'A', { id: LIVENESS_ID });

/** The right answer to the liveness query; no input of the fuzzer has its id. */
export function isLivenessReply(reply: Buffer): boolean {
  if (reply.length < 12 || reply.readUInt16BE(0) !== LIVENESS_ID) return false;
  const address = Buffer.of(192, 0, 2, 53);
  if (reply.readUInt16BE(6) === 1 && reply.includes(address)) return true;
  throw new Error(`the liveness query was answered ${reply.toString('hex')}`);
}

/** A reset is an end as well. Throws, and ends it, if the server does not in time. */
export async function closeInTime(what: string, socket: Socket): Promise<void> {
  let isLate = false;
  const late = setTimeout(() => {
    isLate = true;
    socket.destroy();
  }, LIVENESS_MS_MAX);
  await closeOf(socket);
  clearTimeout(late);
  if (isLate) throw new Error(`${what}: a connection was not closed in ${LIVENESS_MS_MAX} ms`);
}

export function isQuery(message: Buffer): boolean {
  return message.length >= 12 && message.readUInt8(2) < 0x80;
}

/** Without the id of the liveness query. */
export function harmlessId(input: Buffer): Buffer {
  if (input.length < 2 || input.readUInt16BE(0) !== LIVENESS_ID) return input;
  const copy = Buffer.from(input);
  copy.writeUInt16BE(0, 0);
  return copy;
}
