/**
 * A nameserver on loopback for the fuzzer, without a supervisor: whatever breaks it is seen. Says
 * `port N` on stdout, now and then `kept N`, the bytes that are left after the garbage was collected
 * (with `--expose-gc`), and on stderr one line for everything that went wrong.
 */
import process from 'node:process';
import { engine } from '../../agent/dns/fuzz/server.fixture.ts';
import { listenDns } from '../../runtime/node/dns/listener.ts';

/** What a client did that is gone: no fault of the server. */
const CLIENT_GONE = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE']);

const KEPT_INTERVAL_MS = 5_000;

const nowMs = (): number => Date.now();
const { port } = await listenDns({
  addresses: ['127.0.0.1'],
  port: 0,
  answer: (query, peer) => engine.serve(query, peer, nowMs),
  answerDatagram: (datagram) => engine.serveDatagram(datagram, nowMs),
  onError: (error: NodeJS.ErrnoException) => {
    if (!CLIENT_GONE.has(error.code ?? '')) console.error(error.stack?.replaceAll('\n', ' '));
  },
});
console.log(`port ${port}`);
setInterval(sayKept, KEPT_INTERVAL_MS);

function sayKept(): void {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  console.log(`kept ${heapUsed + external}`);
}
