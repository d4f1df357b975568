import { parentPort, workerData } from 'node:worker_threads';
import type { Log } from '../../runtime/log.ts';
import { compactHeapLater } from '../../runtime/node/compact-heap.ts';
import type { DnsWorkerParts } from './dns-worker.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import { channelLog, runWorker, type WorkerChannel, type WorkerEngine } from './worker.ts';
import type { DnsTlsSettings, WorkerConfig } from './worker-config.ts';

/*
 * The entry of a worker thread. Each kind loads only what it needs: a nameserver has no use for
 * HTTP, nor an edge for zones, and memory is what a small machine lacks.
 */
const config = workerData as WorkerConfig;
if (parentPort === null) throw new Error('agent/plane/main.ts runs as a worker thread only');
const port = parentPort;
// Messages wait until somebody listens.
const { grow, shrink } = await zoneTranslation(config.kind);

const channel: WorkerChannel = {
  post: (message) => port.postMessage(shrink(message)),
  onMessage: (listener) => port.on('message', (message: ToWorker) => listener(grow(message))),
  close: () => port.close(),
};
const log = channelLog((message) => channel.post(message));
if (config.mode === 'test') port.on('message', misbehave);
runWorker(channel, await engineOf(config, log), log);
compactHeapLater();

/** A nameserver's messages have zones as what changed of them. */
async function zoneTranslation(kind: WorkerConfig['kind']): Promise<{
  readonly grow: (message: ToWorker) => ToWorker;
  readonly shrink: (message: FromWorker) => FromWorker;
}> {
  if (kind === 'edge') return { grow: (message) => message, shrink: (message) => message };
  const { growMessages, shrinkReports } = await import('./zone-changes.ts');
  return { grow: growMessages(), shrink: shrinkReports() };
}

async function engineOf(worker: WorkerConfig, workerLog: Log): Promise<WorkerEngine> {
  return worker.kind === 'edge' ? edgeEngine(worker, workerLog) : dnsEngine(worker, workerLog);
}

async function edgeEngine(
  { nodeName, folder, addresses, httpPort, httpsPort, ticketKeys, ...config }: WorkerConfig,
  workerLog: Log,
): Promise<WorkerEngine> {
  const [
    { createEdge },
    cache,
    { edgeWorker },
    { listenHttp },
    tls,
    alpn,
    { nodeDiskReader },
    time,
    random,
    passwords,
  ] = await Promise.all([
    import('../edge/edge.ts'),
    import('../edge/blobs/memory-cache.ts'),
    import('./edge-worker.ts'),
    import('../../runtime/node/http-listener.ts'),
    import('../../runtime/node/tls/contexts.ts'),
    import('../../runtime/node/tls/alpn-proofs.ts'),
    import('../../runtime/node/disk-reader.ts'),
    import('../../runtime/node/clock.ts'),
    import('../../runtime/node/random.ts'),
    import('../../runtime/node/password-hasher.ts'),
  ]);
  const limits = { ...cache.MEMORY_CACHE_LIMITS, budgetBytes: config.cacheBytesMax };
  const [clock, draw] = [time.systemClock(), random.systemRandom()];
  const edge = createEdge({
    disk: nodeDiskReader(folder),
    nodeName,
    log: workerLog,
    cache: cache.createMemoryCache(limits),
    onDamaged: (blob) => channel.post({ kind: 'damaged', blob }),
    gate: { hasher: passwords.nodePasswordHasher(draw), clock },
    clock,
    accessLog: { clock, random: draw, hand: (lines) => channel.post({ kind: 'lines', lines }) },
  });
  const { connectionsPerClientMax } = config;
  const connections = connectionsPerClientMax !== undefined && { connectionsPerClientMax };
  const onError = (error: unknown): void =>
    workerLog.error({ error: String(error) }, 'a request failed');
  return edgeWorker({
    edge,
    contexts: tls.createTlsContexts(),
    proofs: alpn.createAlpnProofs(clock, draw),
    ticketKeys,
    listen: (given) =>
      listenHttp({
        ...{ ...given, addresses, httpPort, httpsPort, onError },
        limits: { ...connections },
      }),
  });
}

async function dnsEngine(
  { nodeName, addresses, dnsPort, dnsLimit, dnsIdentity: identity, ...config }: WorkerConfig,
  workerLog: Log,
): Promise<WorkerEngine> {
  const [
    { createDnsEngine },
    limiter,
    { dnsWorker },
    { listenDns },
    time,
    random,
    foreign,
    resolver,
  ] = await Promise.all([
    import('./dns-engine.ts'),
    import('../dns/limit/limit.ts'),
    import('./dns-worker.ts'),
    import('../../runtime/node/dns/listener.ts'),
    import('../../runtime/node/clock.ts'),
    import('../../runtime/node/random.ts'),
    import('../dns/foreign/foreign-book.ts'),
    import('../../runtime/node/resolver.ts'),
  ]);
  const clock = time.systemClock();
  const tls = config.dnsTls && (await dnsTls(config.dnsTls, config));
  const parts = { random: random.systemRandom(), log: workerLog };
  const resolve = resolver.nodeResolver();
  const book = foreign.createForeignBook({ ...parts, clock, resolver: resolve });
  const limit = dnsLimit && limiter.createDnsLimit({ settings: dnsLimit, ...parts });
  const onError = (error: Error): void =>
    workerLog.debug({ error: error.message }, 'a datagram or connection failed');
  return dnsWorker({
    dns: createDnsEngine({
      nodeName,
      log: workerLog,
      foreign: book,
      identity,
      pause: () => clock.sleep(0),
      ...(limit && { limit }),
    }),
    clock,
    ...(tls && { tls }),
    log: workerLog,
    listen: (answer, answerDatagram) =>
      listenDns({
        ...{ addresses, port: dnsPort, answer, answerDatagram, onError },
        ...(tls && { tls }),
      }),
  });
}

/** Loaded only where it is served: TLS takes its memory. */
async function dnsTls(
  { port, fallback }: DnsTlsSettings,
  { ticketKeys }: Pick<WorkerConfig, 'ticketKeys'>,
): Promise<NonNullable<DnsWorkerParts['tls']>> {
  const { createTlsContexts } = await import('../../runtime/node/tls/contexts.ts');
  const contexts = createTlsContexts();
  return { port, ticketKeys, contexts, identity: fallback, contextFor: contexts.contextFor };
}

/** What tests ask for, to see that the others serve on. */
function misbehave({ kind }: ToWorker): void {
  if (kind === 'crash') throw new Error('told to crash');
  while (kind === 'hang');
}
