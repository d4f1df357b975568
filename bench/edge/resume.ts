import { once } from 'node:events';
import { connect } from 'node:tls';

/*
 * node bench/edge/resume.ts PORT SECONDS: connections one after the other, 16 at once, each resumed
 * with the newest ticket and used for one request. Prints how many there were; fails where fewer
 * than nine in ten were resumed.
 */
const CLIENTS = 16;
const [port = '', seconds = ''] = process.argv.slice(2);
const endMs = performance.now() + Number(seconds) * 1000;
const counts = { all: 0, resumed: 0 };
await Promise.all(Array.from({ length: CLIENTS }, client));
// The first of each client cannot be.
if (counts.resumed < 0.9 * (counts.all - CLIENTS))
  throw new Error(`${counts.resumed} of ${counts.all} resumed`);
console.log(`${counts.all} connections`);

async function client(): Promise<void> {
  let session: Buffer | undefined;
  while (performance.now() < endMs) {
    const socket = connect({
      ...{ host: '127.0.0.1', port: Number(port), servername: 'localhost' },
      ...{ rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] },
      ...(session && { session }),
    });
    socket.once('secureConnect', () => {
      if (socket.isSessionReused()) counts.resumed += 1;
    });
    socket.on('session', (ticket) => {
      session = ticket;
    });
    socket.write('GET /small.bin HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n');
    socket.resume();
    await once(socket, 'close');
    counts.all += 1;
  }
}
