/** `make demo`: a control plane and three nodes on this machine, until Ctrl-C. */
import { spawnSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { basename, join, relative } from 'node:path';
import { condition } from '../../api/object.ts';
import { grpcApi } from '../../runtime/node/grpc/api.ts';
import { type Cluster, type NodeOptions, startCluster } from '../support/cluster.ts';
import { geographyKnown } from '../support/geography.ts';
import { until } from '../support/processes.ts';

const root = join(import.meta.dirname, '../..');
const stateDir = join(root, '.b8s/demo');
const dom = { address: '127.0.0.1', port: 7443 };
const ports = { dnsPort: 5300, httpPort: 8080, httpsPort: 8443 };
const nodes: readonly NodeOptions[] = [
  { name: 'sydney', address: '127.0.0.11', latitude: -33.8688, longitude: 151.2093, ...ports },
  { name: 'london', address: '127.0.0.12', latitude: 51.5074, longitude: -0.1278, ...ports },
  { name: 'newyork', address: '127.0.0.13', latitude: 40.7128, longitude: -74.006, ...ports },
];
const startMs = performance.now();
let cluster: Cluster | undefined;
let phase: 'running' | 'stopping' = 'running';

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop(0));

try {
  await refuseTakenPorts();
  cluster = await startCluster({ stateDir, dom, nodes, onProgress: say });
  for (const file of [cluster.configFile, cluster.caFile])
    copyFileSync(file, join(stateDir, basename(file)));
  say('applying manifests/demo');
  await cluster.b8sctlOk(['apply', '-f', join(root, 'manifests/demo')]);
  await ready(cluster);
  say('the site is up; each node now makes its table of places out of 131 MB, once');
  const onWait = (names: readonly string[]): void => say(`waiting for ${names.join(', ')}`);
  await geographyKnown(cluster, { host: 'blog.example.test', nodes, onWait });
  await describe(cluster);
} catch (error) {
  if (phase === 'running') {
    console.error(`\nthe demo could not start: ${error instanceof Error ? error.message : error}`);
    console.error(`logs are in ${relative(process.cwd(), join(stateDir, 'log'))}/`);
    await stop(1);
  }
}

async function ready(running: Cluster): Promise<void> {
  const api = grpcApi(running.connection(), { requestTimeoutMs: 5_000, command: 'demo' });
  let told = '';
  const wait = async (): Promise<boolean> => {
    const lists = ['Node', 'Zone', 'Site'].map((kind) => api.list({ kind, namespace: '' }));
    const items = (await Promise.all(lists)).flatMap(({ objects }) => objects);
    const waiting = items.filter((item) => condition(item, 'Ready')?.status !== 'True');
    const first = waiting[0];
    const text =
      first === undefined
        ? ''
        : `waiting for ${first.kind.toLowerCase()}/${first.metadata.name}: ${condition(first, 'Ready')?.message ?? 'not looked at yet'}`;
    if (text !== told && text !== '') say(text);
    told = text;
    return waiting.length === 0 && items.length >= nodes.length + 2;
  };
  try {
    await until('everything is Ready', wait, { timeoutMs: 80_000, everyMs: 200 });
  } finally {
    api.close();
  }
}

async function describe(running: Cluster): Promise<void> {
  const here = (path: string): string => relative(process.cwd(), path) || '.';
  console.log(`\n${await running.b8sctlOk(['get', 'nodes', '-o', 'wide'])}`);
  console.log('Try, from another terminal:\n');
  console.log('  # which node answers somebody in Australia?');
  console.log(`  ${dnsCommand()}\n`);
  console.log('  # the site, from London');
  console.log(
    `  curl --cacert ${here(join(stateDir, 'ca.pem'))} --resolve blog.example.test:8443:127.0.0.12 https://blog.example.test:8443/ -i\n`,
  );
  console.log('  # what the cluster says of itself');
  console.log(
    `  B8SCONFIG=${here(join(stateDir, 'config'))} ${here(join(root, 'bin/b8sctl'))} describe site/blog\n`,
  );
  console.log(`demo is ready (${elapsed()}); Ctrl-C ends it`);
}

function dnsCommand(): string {
  const tool = ['kdig', 'dig'].find((name) => spawnSync('which', [name]).status === 0) ?? 'dig';
  return `${tool} @127.0.0.12 -p 5300 blog.example.test +subnet=1.128.0.0/24`;
}

async function refuseTakenPorts(): Promise<void> {
  const wanted = [
    { host: dom.address, port: dom.port },
    ...nodes.flatMap((node) =>
      [node.httpPort, node.httpsPort, node.dnsPort].map((port) => ({ host: node.address, port })),
    ),
  ];
  for (const { host, port } of wanted) {
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, host, () => server.close(() => resolve(true)));
    });
    if (!free) throw new Error(`${host}:${port} is taken: end what listens there (another demo?)`);
  }
}

async function stop(exitCode: number): Promise<void> {
  if (phase === 'stopping') return;
  phase = 'stopping';
  console.log('\nstopping');
  await cluster?.stop();
  process.exit(exitCode);
}

function say(step: string): void {
  console.log(`[${elapsed()}] ${step}`);
}

function elapsed(): string {
  return `${((performance.now() - startMs) / 1000).toFixed(1)} s`;
}
