/**
 * What looking for CAs costs a TLS handshake: CPU time of the serving thread, side by side in one
 * run, without the look, with it while no proof is up, and while one is.
 *
 *     node bench/edge/handshakes.ts
 */
import { once } from 'node:events';
import { connect } from 'node:tls';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { systemClock } from '../../runtime/node/clock.ts';
import { listenHttp } from '../../runtime/node/http-listener.ts';
import { systemRandom } from '../../runtime/node/random.ts';
import { createAlpnProofs } from '../../runtime/node/tls/alpn-proofs.ts';
import { createTlsContexts } from '../../runtime/node/tls/contexts.ts';
import { testCertificate } from '../../runtime/node/tls/test-certificate.ts';
import { percentile } from '../figures.ts';

const HOST = '127.0.0.1';
const NAMES = ['no look', 'no proof', 'a proof'] as const;
const ROUNDS = 15;
const ROUND_MS = 800;
const CLIENTS = 16;

interface Target {
  readonly name: (typeof NAMES)[number];
  readonly port: number;
}

if (isMainThread) await serve();
else await ask(workerData as readonly Target[]);

async function serve(): Promise<void> {
  const certificate = await testCertificate(['blog.test']);
  const targets = await Promise.all(NAMES.map((name) => listen(name, certificate)));
  const client = new Worker(new URL(import.meta.url), { workerData: targets });
  const costsUs = new Map<string, number[]>(NAMES.map((name) => [name, []]));
  let since = process.threadCpuUsage();
  client.on('message', (message: { readonly name?: string; readonly handshakes?: number }) => {
    const { user, system } = process.threadCpuUsage(since);
    const { name = '', handshakes } = message;
    if (handshakes !== undefined) costsUs.get(name)?.push((user + system) / handshakes);
    since = process.threadCpuUsage();
    client.postMessage('go on');
  });
  await once(client, 'exit');
  const base = costsUs.get(NAMES[0]) ?? [];
  for (const [name, costs] of costsUs) {
    const ratio = percentile(
      costs.map((cost, round) => cost / (base[round] ?? cost)),
      0.5,
    );
    console.log(
      `${name}: ${percentile(costs, 0.5).toFixed(0)} µs a handshake, ${ratio.toFixed(3)} times`,
    );
  }
  process.exit();
}

async function listen(
  name: Target['name'],
  certificate: Awaited<ReturnType<typeof testCertificate>>,
): Promise<Target> {
  const contexts = createTlsContexts();
  contexts.replace(new Map([['blog.test', certificate]]));
  const proofs = createAlpnProofs(systemClock(), systemRandom());
  if (name === 'a proof') proofs.replace(new Map([['new.test', { digest: new Uint8Array(32) }]]));
  const { httpsPort } = await listenHttp({
    ...{ addresses: [HOST], httpPort: 0, httpsPort: 0, contexts },
    handler: () => ({ status: 200, headers: [], body: undefined }),
    ...(name !== 'no look' && { proofs }),
  });
  return { name, port: httpsPort };
}

async function ask(targets: readonly Target[]): Promise<void> {
  for (let round = 0; round < ROUNDS; round += 1)
    for (const { name, port } of round % 2 === 0 ? targets : targets.toReversed()) {
      await tell({});
      await tell({ name, handshakes: await shakeHands(port) });
    }
}

async function tell(message: object): Promise<void> {
  parentPort?.postMessage(message);
  if (parentPort !== null) await once(parentPort, 'message');
}

async function shakeHands(port: number): Promise<number> {
  const endMs = performance.now() + ROUND_MS;
  let handshakes = 0;
  const client = async (): Promise<void> => {
    while (performance.now() < endMs) {
      const given = { host: HOST, port, servername: 'blog.test', rejectUnauthorized: false };
      const socket = connect({ ...given, ALPNProtocols: ['http/1.1'] });
      await once(socket, 'secureConnect');
      socket.destroy();
      handshakes += 1;
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return handshakes;
}
