import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Disk } from '../runtime/disk/disk.ts';
import { systemClock } from '../runtime/node/clock.ts';
import { compactHeapLater } from '../runtime/node/compact-heap.ts';
import { nodeDatagrams } from '../runtime/node/datagrams.ts';
import { clearInterruptedWrites, nodeDisk } from '../runtime/node/disk.ts';
import { grpcDom } from '../runtime/node/grpc/dialer.ts';
import { grpcEnrolment } from '../runtime/node/grpc/enrolment.ts';
import { httpsPeers } from '../runtime/node/https-peers.ts';
import { LOG_LEVELS, type LogLevel, pinoLog } from '../runtime/node/log.ts';
import { httpProbe } from '../runtime/node/probe.ts';
import { systemRandom } from '../runtime/node/random.ts';
import { nodeKeyMaker } from '../runtime/node/tls/key-maker.ts';
import { VERSION } from '../runtime/version.ts';
import { createAgent } from './agent.ts';
import { PROBE_TIMEOUT_MS } from './dns/health/health.ts';
import { DNS_LIMIT, limitAt } from './dns/limit/limit.ts';
import { loadIdentity, type NodeIdentity } from './identity/identity-file.ts';
import { joinCluster } from './identity/join.ts';
import { type JoinArguments, parseJoin } from './identity/join-options.ts';
import { rotateCertificate } from './identity/rotate.ts';
import { logLimitsFor } from './logs/log-files.ts';
import { newPeerIdentity } from './new-peer-identity.ts';
import { openPlane } from './open-plane.ts';
import { placedPlane } from './placed-plane.ts';
import { statusText } from './status.ts';

const STATE_FOLDER = '/var/lib/b8s/sub';
const MEBIBYTE = 1024 * 1024;
/** Of each edge worker, for files that are asked for often. */
const CACHE_MIB = 32;

interface StateOption {
  readonly state: string;
}

interface RunOptions extends StateOption {
  readonly edgeWorkers?: number;
  readonly dnsWorkers?: number;
  readonly cacheMib: number;
  readonly httpConnections?: number;
  readonly dnsRateLimit: number;
  readonly dnsTlsPort?: number;
  readonly dnsIdentity?: true;
  readonly accessLogMib?: number;
  readonly metricsListen?: { readonly address: string; readonly port: number };
  readonly logLevel: LogLevel;
  readonly listen?: readonly string[];
}

const program = new Command('sub')
  .description('The agent of one machine: does what dom told it, and goes on while dom is away.')
  .showHelpAfterError('(sub --help shows what is possible)');

program
  .command('join <url>')
  .description('Make this machine a node, with the command that b8sctl node token create prints.')
  .requiredOption('--token <token>', 'the single-use token')
  .requiredOption('--ca <hash>', "the hash of dom's CA: sha256:…")
  .requiredOption('--name <name>', "the node's name")
  .option('--ipv4 <address...>', 'public IPv4 addresses')
  .option('--ipv6 <address...>', 'public IPv6 addresses')
  .option('--location <latitude,longitude>', 'where the machine stands, in degrees')
  .option('--role <roles>', 'edge, nameserver, worker; several with commas')
  .option('--http-port <port>', 'the port of HTTP (80)')
  .option('--https-port <port>', 'the port of HTTPS (443)')
  .option('--dns-port <port>', 'the port of DNS (53)')
  .option('--force', 'replace the identity that this machine has')
  .addOption(stateOption())
  .action(join);

program
  .command('run')
  .description('Serve what this node was told to, and hold the session with dom.')
  .option('--edge-workers <count>', 'threads that answer HTTP (as suits the cores)', parseCount)
  .option('--dns-workers <count>', 'threads that answer DNS (as suits the cores)', parseCount)
  .option('--cache-mib <size>', 'memory for files, of each edge worker', parseCount, CACHE_MIB)
  .option(
    '--http-connections <count>',
    'of one client address (or IPv6 /64) at once, to each edge worker (1000)',
    parseCount,
  )
  .option(
    '--dns-rate-limit <answers>',
    'alike DNS answers a second to one network over UDP, 0: no limit',
    parseRate,
    DNS_LIMIT.answersPerS,
  )
  .option(
    '--access-log-mib <size>',
    'on disk, for what is noted of requests to all sites together (512)',
    parseCount,
  )
  .option(
    '--metrics-listen <[address:]port>',
    'serve /metrics for Prometheus there; without an address at 127.0.0.1 alone',
    parseListen,
  )
  .option('--dns-identity', 'tell version.bind and id.server in class CHAOS who answers')
  .option('--dns-tls-port <port>', 'of DNS over TLS, 0: none (853 where DNS is at 53)', parsePort)
  .option('--listen <address...>', "listen here instead of at the node's public addresses")
  .addOption(
    new Option('--log-level <level>', 'the least to log').choices(LOG_LEVELS).default('info'),
  )
  .addOption(stateOption())
  .action(run);

program
  .command('status')
  .description("Say what this machine's folder knows of it.")
  .addOption(stateOption())
  .action(async ({ state }: StateOption) => {
    process.stdout.write(await statusText(nodeDisk(state)));
  });

program
  .command('version')
  .description('Print the version.')
  .action(() => console.log(VERSION));

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

async function join(
  url: string,
  options: Omit<JoinArguments, 'url'> & StateOption & { readonly force?: true },
): Promise<void> {
  const parsed = parseJoin({ ...options, url });
  const stop = stopOnSignals();
  const existing = options.force ? 'replace' : 'keep';
  const identity = await joinCluster(
    { ...parsed, existing, signal: stop },
    { disk: nodeDisk(options.state), keys: nodeKeyMaker, enrolment: grpcEnrolment },
  );
  process.stdout.write(`node/${identity.name} joined\n`);
}

async function run(options: RunOptions): Promise<void> {
  await clearInterruptedWrites(options.state);
  const disk = nodeDisk(options.state);
  let identity = await requireIdentity(disk, options.state);
  const node = identity.name;
  const [clock, random, log] = [systemClock(), systemRandom(), pinoLog(options.logLevel)];
  const dom = grpcDom(() => identity);
  const peers = httpsPeers();
  const { edgeWorkers, dnsWorkers } = options;
  const planeOptions = {
    ...{ node, disk, clock, random, log, folder: resolve(options.state) },
    cores: availableParallelism(),
    dnsTlsPort: options.dnsTlsPort,
    connectionsPerClientMax: options.httpConnections,
    threads: {
      ...(edgeWorkers !== undefined && { edge: edgeWorkers }),
      ...(dnsWorkers !== undefined && { dns: dnsWorkers }),
    },
  };
  const cacheBytesMax = options.cacheMib * MEBIBYTE;
  const dnsLimit = limitAt(options.dnsRateLimit);
  const dnsIdentity = options.dnsIdentity && { version: `b8s ${VERSION}`, name: node };
  const plane = placedPlane({
    ...{ node, log, ...(options.listen !== undefined && { listen: options.listen }) },
    open: (place) => openPlane(place, { ...planeOptions, cacheBytesMax, dnsLimit, dnsIdentity }),
  });
  const agent = createAgent({
    ...{ clock, random, disk, plane, log, dialer: dom, blobs: dom, identity: { node } },
    peers: { finder: dom, fetcher: peers, identity: newPeerIdentity(clock, random) },
    probe: httpProbe({ timeoutMs: PROBE_TIMEOUT_MS }),
    datagrams: nodeDatagrams(options.listen && { from: options.listen }),
    rssBytes: () => process.memoryUsage.rss(),
    cpuS: () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1_000_000;
    },
    ...(options.accessLogMib && { logLimits: logLimitsFor(options.accessLogMib) }),
  });
  const rotation = {
    ...{ clock, random, log, disk, keys: nodeKeyMaker, renewal: dom, identity: () => identity },
    onRenewed: (renewed: NodeIdentity) => {
      identity = renewed;
    },
  };
  const stop = stopOnSignals();
  log.info({ node, version: VERSION, domAddresses: identity.domAddresses }, 'sub starts');
  compactHeapLater();
  const { metricsListen } = options;
  // Prometheus's client takes 2 MB: it is loaded where it is asked for.
  const metrics =
    metricsListen &&
    (await (await import('./serve-metrics.ts')).serveMetrics(metricsListen, agent, plane));
  await Promise.all([agent.run(stop), rotateCertificate(rotation, stop)]);
  log.info({}, 'sub stops once the requests in flight are answered');
  await plane.close();
  peers.close();
  dom.close();
  await metrics?.close();
}

async function requireIdentity(disk: Disk, folder: string): Promise<NodeIdentity> {
  const identity = await loadIdentity(disk);
  if (identity !== undefined) return identity;
  throw new Error(
    `${folder} holds no identity: first run the sub join command that b8sctl node token create prints`,
  );
}

/** Aborted by the first Ctrl-C or SIGTERM; a second one ends the process at once. */
function stopOnSignals(): AbortSignal {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (stop.signal.aborted) process.exit(130);
      stop.abort(new Error(name));
    });
  }
  return stop.signal;
}

function stateOption(): Option {
  return new Option('--state <folder>', 'where this node keeps everything').default(STATE_FOLDER);
}

function parsePort(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new InvalidArgumentError('It must be a port, 0 for none.');
}

function parseListen(text: string): { readonly address: string; readonly port: number } {
  const [, address = '127.0.0.1', port = ''] =
    /^(?:\[?([0-9a-fA-F.:]+?)\]?:)?(\d{1,5})$/.exec(text) ?? [];
  if (Number(port) > 0 && Number(port) <= 65_535) return { address, port: Number(port) };
  throw new InvalidArgumentError('It must be a port, or an address with one: 9465, [::1]:9465.');
}

function parseRate(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number, 0 for no limit.');
}

function parseCount(text: string): number {
  const count = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (count < 1) throw new InvalidArgumentError('It must be a whole number from 1.');
  return count;
}
