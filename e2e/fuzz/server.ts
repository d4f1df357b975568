/**
 * A nameserver on loopback for the fuzzer, without a supervisor: whatever breaks it is seen. Says
 * `port N` on stdout, and on stderr one line for everything that went wrong.
 */
import { engine } from '../../agent/dns/fuzz/server.fixture.ts';
import { listenDns } from '../../runtime/node/dns-listener.ts';

/** What a client did that is gone: no fault of the server. */
const CLIENT_GONE = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE']);

const { port } = await listenDns({
  addresses: ['127.0.0.1'],
  port: 0,
  answer: (query, peer) => engine.serve(query, peer, () => Date.now()),
  onError: (error: NodeJS.ErrnoException) => {
    if (!CLIENT_GONE.has(error.code ?? '')) console.error(error.stack?.replaceAll('\n', ' '));
  },
});
console.log(`port ${port}`);
