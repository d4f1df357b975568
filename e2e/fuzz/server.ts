/**
 * A nameserver on loopback for the fuzzer, without a supervisor: whatever breaks it is seen. Says
 * `port N` on stdout, and on stderr one line for everything that went wrong.
 */
import { EXAMPLE, NODES } from '../../agent/dns/example.fixture.ts';
import { createDnsEngine } from '../../agent/plane/dns-engine.ts';
import { silentLog } from '../../runtime/log.ts';
import { listenDns } from '../../runtime/node/dns-listener.ts';

/** What a client did that is gone: no fault of the server. */
const CLIENT_GONE = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE']);

const engine = createDnsEngine({ nodeName: 'fuzzed', log: silentLog });
const dns = { zones: [EXAMPLE], nodes: NODES, databases: [], health: {} };
const { zones } = await engine.apply(dns, []);
for (const { error } of zones) if (error !== undefined) throw new Error(error);
const { port } = await listenDns({
  addresses: ['127.0.0.1'],
  port: 0,
  answer: (query, peer) => engine.answer(query, peer, Date.now()),
  onError: (error: NodeJS.ErrnoException) => {
    if (!CLIENT_GONE.has(error.code ?? '')) console.error(error.stack?.replaceAll('\n', ' '));
  },
});
console.log(`port ${port}`);
