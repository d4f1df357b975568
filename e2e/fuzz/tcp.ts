import { connect } from 'node:net';
import { checkReply } from '../../agent/dns/fuzz/oracle.fixture.ts';
import { type Batch, closeInTime, isLivenessReply, isQuery, LIVENESS } from './batch.ts';

export interface TcpBatch extends Batch {
  /** Where the stream is cut into pieces; uniform in [0, limit). */
  readonly below: (limit: number) => number;
}

/**
 * Sends a batch over one connection in pieces of any size, then asks over a second one whether the
 * server lives. Throws unless every query before the first message that is none was answered, in
 * order; that one ends the connection.
 */
export async function fuzzTcp(batch: TcpBatch): Promise<void> {
  const { port, inputs, below } = batch;
  const replies = await exchange(port, inputs, below);
  const end = inputs.findIndex((input) => !isQuery(input));
  const queries = end < 0 ? inputs : inputs.slice(0, end);
  if (replies.length > queries.length) throw new Error('TCP: more replies than queries');
  for (const [index, query] of queries.entries()) {
    const reply = replies[index];
    try {
      checkReply(query, reply, 'tcp');
    } catch (cause) {
      const said = `${query.toString('hex')} was answered ${reply?.toString('hex')}`;
      throw new Error(`TCP: ${said}: ${String(cause)}`, { cause });
    }
  }
  const [answer] = await exchange(port, [LIVENESS], below);
  if (answer === undefined || !isLivenessReply(answer))
    throw new Error('TCP: no answer to the liveness query');
}

async function exchange(
  port: number,
  queries: readonly Buffer[],
  below: TcpBatch['below'],
): Promise<readonly Buffer[]> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  const stream = Buffer.concat(queries.flatMap((query) => [lengthOf(query), query]));
  for (let at = 0; at < stream.length; ) {
    const end = at + 1 + below(400);
    socket.write(stream.subarray(at, end));
    at = end;
  }
  // The server answers what it has and closes: an end that it has heard is answered with one.
  socket.end();
  await closeInTime('TCP', socket);
  return framesOf(Buffer.concat(chunks));
}

function lengthOf(query: Buffer): Buffer {
  return Buffer.of(query.length >> 8, query.length & 0xff);
}

function framesOf(stream: Buffer): readonly Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at + 2 <= stream.length; ) {
    const end = at + 2 + stream.readUInt16BE(at);
    if (end > stream.length) break;
    frames.push(stream.subarray(at + 2, end));
    at = end;
  }
  return frames;
}
