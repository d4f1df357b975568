import { rmSync } from 'node:fs';
import { mkdtemp, readFile, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Cluster, type NodeOptions, startCluster } from '../../e2e/support/cluster.ts';
import { atEnd } from '../../e2e/support/ending.ts';
import { browser } from '../../e2e/support/https.ts';
import { domMetric } from '../../e2e/support/metrics.ts';
import { freePorts } from '../../e2e/support/ports.ts';
import { type Program, run, until } from '../../e2e/support/processes.ts';
import { percentile, processUsage } from '../figures.ts';
import { readOptions } from '../options.ts';
import { measured } from './measured.ts';
import { startRsync } from './rsync.ts';
import { changePage, PAGE, writeSite } from './site.ts';

const USAGE = `node bench/publish/main.ts [options]

How long a push of a whole site and of one changed file takes until the last node has it, what dom
sends for it, and how long rsync takes to bring the same to as many folders. Dom, the nodes and the
rsyncs are real processes on this machine, and share its cores and its disk.

  --files 1000    files of the site
  --mb 100        megabytes of all of them
  --nodes 3       how many nodes; several counts with commas between them: 3,30; 0: a push to dom alone
  --pushes 5      changes of one file, one after the other
  --full          10,000 files, 1 GB, to 3 and to 30 nodes: takes 36 GB of room
  --help          this`;
const values = readOptions(USAGE, {
  files: { type: 'string', default: '1000' },
  mb: { type: 'string', default: '100' },
  nodes: { type: 'string', default: '3' },
  pushes: { type: 'string', default: '5' },
  full: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
});
const LOOPBACK_AREA = 78;
const HOST = 'www.bench.test';
const WAIT_MS_MAX = 600_000;
const ROOT = join(import.meta.dirname, '../..');

const size = values.full
  ? { files: 10_000, sizeBytes: 1_000_000_000 }
  : { files: Number(values.files), sizeBytes: Number(values.mb) * 1_000_000 };
const counts = values.full ? [3, 30] : values.nodes.split(',').map(Number);
await refuseWithoutRoom();
const folder = await mkdtemp(join(tmpdir(), 'b8s-bench-'));
const bin = join(folder, 'built/bin');
// Also after Ctrl-C, or when whoever started it ends it; what was killed may be writing still.
atEnd(() => rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
try {
  const site = join(folder, 'site');
  await writeSite(site, size);
  await build();
  console.log(`${size.files} files, ${size.sizeBytes / 1e6} MB`);
  for (const count of counts) {
    console.log(`to ${count} nodes:`);
    await rm(join(folder, 'to'), { recursive: true, force: true });
    await measureB8s(site, count);
    await rm(join(folder, 'to'), { recursive: true, force: true });
    if (count > 0) await measureRsync(site, count);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
process.exit(0);

/** As people have it: a bundle, and not the sources. */
async function build(): Promise<void> {
  const args = [join(ROOT, 'bin/build/main.ts'), '--no-geo', '--out', join(folder, 'built')];
  const { exitCode, stderr } = await run(process.execPath, args, { timeoutMs: 120_000 });
  if (exitCode !== 0) throw new Error(`b8s was not built: ${stderr}`);
  // The launchers take this Node.
  process.env['B8S_NODE'] = process.execPath;
}

/** The site itself, and what dom has, or the nodes: each file once. Some may need a retry. */
async function refuseWithoutRoom(): Promise<void> {
  const copies = Math.max(...counts) + 2;
  const neededBytes = size.sizeBytes * copies * 1.1 + 1e9;
  const { bavail, bsize } = await statfs(tmpdir());
  if (bavail * bsize >= neededBytes) return;
  const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;
  console.error(
    `${tmpdir()} has room for ${gigabytes(bavail * bsize)}, and ${copies} copies of the site take ${gigabytes(neededBytes)}: set TMPDIR, or give fewer --nodes or --mb`,
  );
  process.exit(2);
}

async function measureB8s(site: string, count: number): Promise<void> {
  const [port = 0, dns = 0, http = 0, https = 0] = await freePorts(4);
  const nodes = nodesOf(count, { dns, http, https });
  const to = join(folder, 'to');
  const cluster = await startCluster({
    ...{ stateDir: to, bin, dom: { address: '127.0.0.1', port }, nodes, geo: 'none' },
  });
  const cacheFolder = join(folder, `cache-${count}`);
  const push = (...more: readonly string[]) => {
    const args = ['--config', cluster.configFile, 'push', site, '--site', 'www', ...more];
    return measured(join(bin, 'b8sctl'), args, { cacheFolder });
  };
  try {
    await declare(cluster);
    const programs = { dom: [cluster.dom], nodes: [...cluster.subs.values()] };
    const before = { dom: cpuMs(programs.dom), nodes: cpuMs(programs.nodes) };
    const waiting = count > 0 ? ['--wait', '--timeout', '10m'] : [];
    const first = await push(...waiting);
    report('b8s, the whole site', [
      `${seconds(first.ms)} until ${count > 0 ? 'the last node has verified' : 'dom has'} it`,
      `dom sent ${megabytes(await bytesSent(cluster))}`,
      `b8sctl ${first.rssMb.toFixed(0)} MB`,
      `dom ${peakMb(cluster)} MB`,
      `CPU: dom ${seconds(cpuMs(programs.dom) - before.dom)}`,
      `all nodes ${seconds(cpuMs(programs.nodes) - before.nodes)}`,
    ]);
    const again = [await push(), await push(), await push()].map(({ ms }) => ms);
    report('b8s, nothing changed', [`${seconds(percentile(again, 0.5))} for b8sctl`]);
    if (count === 0) return;
    const edges = nodes.map(({ address }) => ({ address, port: https }));
    const beforeChanges = { dom: cpuMs(programs.dom), nodes: cpuMs(programs.nodes) };
    const lives = await measureChanges(cluster, { site, edges, push });
    const each = 1 + Number(values.pushes);
    report('b8s, one changed file', [
      ...lives,
      `CPU for each: dom ${seconds((cpuMs(programs.dom) - beforeChanges.dom) / each)}`,
      `all nodes ${seconds((cpuMs(programs.nodes) - beforeChanges.nodes) / each)}`,
    ]);
  } finally {
    await cluster.stop();
  }
}

async function measureChanges(
  cluster: Cluster,
  scene: {
    readonly site: string;
    readonly edges: readonly { readonly address: string; readonly port: number }[];
    readonly push: () => Promise<{ readonly ms: number }>;
  },
): Promise<readonly string[]> {
  const { get, close } = browser(HOST, await readFile(cluster.caFile, 'utf8'), { keepAlive: true });
  const livesMs: number[] = [];
  const sentBefore = await bytesSent(cluster);
  const pushes = Number(values.pushes);
  // Also opens the connections, so that handshakes are not measured.
  for (let number = 0; number <= pushes; number += 1) {
    const text = await changePage(scene.site, number);
    const startMs = performance.now();
    const pushed = scene.push();
    const waiting = new Set(scene.edges);
    const served = async (): Promise<boolean> => {
      for (const edge of waiting)
        if ((await get(edge, `/${PAGE}`)).body.toString() === text) waiting.delete(edge);
        else return false;
      return true;
    };
    await until('the change on every node', served, { timeoutMs: WAIT_MS_MAX, everyMs: 5 });
    if (number > 0) livesMs.push(performance.now() - startMs);
    await pushed;
  }
  close();
  const sent = (await bytesSent(cluster)) - sentBefore;
  return [
    `${seconds(percentile(livesMs, 0.5))} from the command until the last node answers with it`,
    `slowest ${seconds(Math.max(...livesMs))}`,
    `dom sent ${megabytes(sent / (pushes + 1))} for each`,
  ];
}

async function measureRsync(site: string, count: number): Promise<void> {
  const rsync = await startRsync({ site, to: join(folder, 'to'), count });
  if (rsync === undefined) {
    report('rsync', ['is not installed: apt-get install rsync']);
    return;
  }
  try {
    const first = await rsync.sync();
    report('rsync, the whole site', [
      `${seconds(first.ms)} until the last folder has it`,
      `sent ${megabytes(first.sentBytes)}`,
    ]);
    const changes: { readonly ms: number; readonly sentBytes: number }[] = [];
    for (let number = 0; number < Number(values.pushes); number += 1) {
      await changePage(site, 1000 + number);
      changes.push(await rsync.sync());
    }
    const ms = percentile(
      changes.map((each) => each.ms),
      0.5,
    );
    const sentBytes = changes.reduce((sum, each) => sum + each.sentBytes, 0) / changes.length;
    report('rsync, one changed file', [seconds(ms), `sent ${megabytes(sentBytes)} for each`]);
  } finally {
    await rsync.stop();
  }
}

/** Without compression, which dom does beside and after all else, and rsync never. */
async function declare(cluster: Cluster): Promise<void> {
  const apiVersion = 'b8s.dev/v1';
  const objects = [
    { apiVersion, kind: 'Zone', metadata: { name: 'bench' }, spec: { origin: 'bench.test' } },
    {
      apiVersion,
      kind: 'Site',
      metadata: { name: 'www' },
      spec: { hosts: [HOST], compression: 'off' },
    },
  ];
  const input = objects.map((object) => JSON.stringify(object)).join('\n---\n');
  await cluster.b8sctlOk(['apply', '-f', '-'], { input });
}

function nodesOf(
  count: number,
  ports: { readonly dns: number; readonly http: number; readonly https: number },
): readonly NodeOptions[] {
  return Array.from({ length: count }, (_, index) => ({
    ...{ name: `node-${index}`, address: `127.${LOOPBACK_AREA}.0.${11 + index}` },
    ...{ latitude: (index * 7) % 80, longitude: (index * 13) % 170, roles: ['edge'] },
    ...{ dnsPort: ports.dns, httpPort: ports.http, httpsPort: ports.https },
  }));
}

function report(what: string, figures: readonly string[]): void {
  console.log(`  ${what.padEnd(24)} ${figures.join(', ')}`);
}

/** By dom's own count: lists and files, to all nodes. */
function bytesSent(cluster: Cluster): Promise<number> {
  return domMetric(cluster.connection(), 'b8s_blob_bytes_sent_total');
}

/** Since they started. */
function cpuMs(programs: readonly Program[]): number {
  return programs.reduce((sum, { pid }) => sum + processUsage(pid ?? 0).cpuMs, 0);
}

/** The most that it has had. */
function peakMb({ dom }: Cluster): string {
  return processUsage(dom.pid ?? 0).peakMb.toFixed(0);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

function megabytes(sizeBytes: number): string {
  return `${(sizeBytes / 1e6).toFixed(2)} MB`;
}
