import { createSocket } from 'node:dgram';
import { checkReply } from '../../agent/dns/fuzz/oracle.fixture.ts';
import { type Batch, isLivenessReply, LIVENESS, LIVENESS_MS_MAX } from './batch.ts';

/** Sends a batch and a liveness query behind it; throws for what came back wrong, or not at all. */
export async function fuzzUdp({ port, inputs }: Batch): Promise<void> {
  const socket = createSocket('udp4');
  const replies: Buffer[] = [];
  const alive = new Promise<void>((resolve, reject) => {
    const slow = setTimeout(
      () => reject(new Error(`UDP: no answer to the liveness query in ${LIVENESS_MS_MAX} ms`)),
      LIVENESS_MS_MAX,
    );
    socket.on('error', reject);
    socket.on('message', (reply) => {
      if (!isLivenessReply(reply)) return void replies.push(reply);
      clearTimeout(slow);
      resolve();
    });
  });
  for (const input of inputs) socket.send(input, port, '127.0.0.1');
  socket.send(LIVENESS, port, '127.0.0.1');
  // One thread answers in the order of arrival: what is not here by then was never sent.
  await alive.finally(() => socket.close());
  matchReplies(inputs, replies);
}

/** Each reply belongs to another query of the batch (INV-25). */
function matchReplies(inputs: readonly Buffer[], replies: readonly Buffer[]): void {
  const waiting = new Map<number, Buffer[]>();
  for (const input of inputs.filter(({ length }) => length >= 12)) {
    const id = input.readUInt16BE(0);
    waiting.set(id, [...(waiting.get(id) ?? []), input]);
  }
  for (const reply of replies) {
    const candidates = waiting.get(reply.readUInt16BE(0)) ?? [];
    const errors: unknown[] = [];
    const match = candidates.find((query) => {
      try {
        checkReply(query, reply, 'udp');
        return true;
      } catch (error) {
        errors.push(error);
        return false;
      }
    });
    if (match === undefined) {
      const asked = candidates.map((query) => query.toString('hex')).join(' or ');
      throw new Error(`UDP: ${asked} was answered ${reply.toString('hex')}: ${errors.join('; ')}`);
    }
    waiting.set(
      reply.readUInt16BE(0),
      candidates.filter((query) => query !== match),
    );
  }
  for (const left of [...waiting.values()].flat()) {
    // Throws for a query that was left without a reply.
    checkReply(left, undefined, 'udp');
  }
}
