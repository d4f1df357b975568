import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Cluster, startCluster, threeNodes } from '../../e2e/support/cluster.ts';
import { browser } from '../../e2e/support/https.ts';
import { freePorts } from '../../e2e/support/ports.ts';
import { until } from '../../e2e/support/processes.ts';
import { processUsage, spread } from '../figures.ts';

/*
 * node bench/content/main.ts [--files 1173] [--pushes 5]: how long a new site of many small files
 * takes until it is verified on three nodes, and a push of one changed file until all three answer
 * with it. Dom and the nodes are real processes on this machine, so all four share its cores.
 */
const { values } = parseArgs({
  options: {
    files: { type: 'string', default: '1173' },
    pushes: { type: 'string', default: '5' },
  },
});
const FILE_BYTES = 13_000;
const LOOPBACK_AREA = 77;
const HOST = 'www.bench.test';

const folder = await mkdtemp(join(tmpdir(), 'b8s-bench-'));
const site = join(folder, 'site');
let cluster: Cluster | undefined;
try {
  await writeSite(Number(values.files));
  const [port = 0, dns = 0, http = 0, https = 0] = await freePorts(4);
  const nodes = threeNodes(LOOPBACK_AREA, { dns, http, https });
  const running = await startCluster({
    stateDir: join(folder, 'state'),
    dom: { address: '127.0.0.1', port },
    ...{ nodes, geo: 'none' },
  });
  cluster = running;
  const edges = nodes.map(({ address }) => ({ address, port: https }));
  await declare(running);

  const cpuBeforeMs = cpuOf(running);
  const startMs = performance.now();
  await running.b8sctlOk(['push', site, '--site', 'www']);
  const pushedMs = performance.now();
  await untilServed(running, edges, 'version 0');
  const servedMs = performance.now();
  const cpuS = (cpuOf(running) - cpuBeforeMs) / 1000;
  const livesMs: number[] = [];
  for (let push = 1; push <= Number(values.pushes); push += 1) {
    await writeFile(join(site, 'index.html'), `version ${push}`);
    const changedMs = performance.now();
    await running.b8sctlOk(['push', site, '--site', 'www']);
    await untilServed(running, edges, `version ${push}`);
    livesMs.push(performance.now() - changedMs);
  }
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
  console.log(`${values.files} files of ${FILE_BYTES} bytes, three nodes:`);
  console.log(`  the first push          ${seconds(pushedMs - startMs)} for b8sctl`);
  console.log(`  served by all           ${seconds(servedMs - pushedMs)} after that`);
  console.log(
    `  CPU time for both       ${cpuS.toFixed(1)} s, of dom and the three nodes together`,
  );
  console.log(`  one changed file        ${spread(livesMs)} from the command to all three`);
  const rss = [running.dom, ...running.subs.values()].map(({ name, pid = 0 }) => {
    return `${name} ${processUsage(pid).rssMb.toFixed(0)} MB`;
  });
  console.log(`  resident memory         ${rss.join(', ')}`);
} finally {
  await cluster?.stop();
  await rm(folder, { recursive: true, force: true });
}
process.exit(0);

function cpuOf({ dom, subs }: Cluster): number {
  const used = [dom, ...subs.values()].map(({ pid = 0 }) => processUsage(pid).cpuMs);
  return used.reduce((sum, ms) => sum + ms, 0);
}

async function writeSite(files: number): Promise<void> {
  await mkdir(site, { recursive: true });
  await writeFile(join(site, 'index.html'), 'version 0');
  for (let index = 1; index < files; index += 1)
    await writeFile(
      join(site, `page-${index}.html`),
      `${index} `.repeat(FILE_BYTES).slice(0, FILE_BYTES),
    );
}

async function declare(running: Cluster): Promise<void> {
  const apiVersion = 'b8s.dev/v1';
  const objects = [
    { apiVersion, kind: 'Zone', metadata: { name: 'bench' }, spec: { origin: 'bench.test' } },
    { apiVersion, kind: 'Site', metadata: { name: 'www' }, spec: { hosts: [HOST] } },
  ];
  const input = objects.map((object) => JSON.stringify(object)).join('\n---\n');
  await running.b8sctlOk(['apply', '-f', '-'], { input });
}

async function untilServed(
  running: Cluster,
  edges: readonly { readonly address: string; readonly port: number }[],
  text: string,
): Promise<void> {
  const { get, close } = browser(HOST, await readFile(running.caFile, 'utf8'), { keepAlive: true });
  const served = async (): Promise<boolean> => {
    const pages = await Promise.all(edges.map((edge) => get(edge, '/')));
    return pages.every(({ body }) => body.toString() === text);
  };
  await until(`${text} on every node`, served, { timeoutMs: 120_000, everyMs: 10 });
  close();
}
