import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { queryBytes } from '../../agent/dns/dns.fixture.ts';
import { HOST } from './ask.ts';

/** Queries that wait for an answer at once. */
const WAITING_MAX = 200;
const PATIENCE_MS = 2000;

/** Asks for the addresses of each name once, whatever the answers are: how many came. */
export async function askAll(names: Iterable<string>, port: number): Promise<number> {
  const socket = createSocket('udp4');
  let sent = 0;
  let answers = 0;
  socket.on('message', () => {
    answers += 1;
  });
  try {
    for (const name of names) {
      socket.send(queryBytes(name, 'A'), port, HOST);
      sent += 1;
      // What was lost is not waited for by those behind it.
      while (sent - answers >= WAITING_MAX) {
        const came = await once(socket, 'message', { signal: AbortSignal.timeout(PATIENCE_MS) })
          .then(() => true)
          .catch(() => false);
        if (!came) sent = answers;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));
    return answers;
  } finally {
    socket.close();
  }
}
