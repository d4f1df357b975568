import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Repository } from '../../api/repository.ts';
import { type Cluster, type NodeOptions, startCluster } from '../../e2e/support/cluster.ts';
import { browser } from '../../e2e/support/https.ts';
import { freePorts } from '../../e2e/support/ports.ts';
import { until } from '../../e2e/support/processes.ts';
import { callWebhook } from '../../e2e/support/webhook.ts';
import { freePortsAt } from '../../runtime/node/free-ports.ts';
import { percentile } from '../figures.ts';
import { fetchAndRead } from './floor.ts';
import { type ServedRemote, serveRemote } from './remote.ts';

const AREA = 79;
const HOST = 'blog.bench.test';
const SECRET = 'b6f1c2d3e4';
const WAIT_MS_MAX = 120_000;
/** A call that comes sooner after another one waits, which is not what is measured. */
const BETWEEN_CALLS_MS = 3_100;

interface PushOptions {
  readonly folder: string;
  readonly pushes: number;
  readonly nodes: number;
}

/** How long from the call of a Git host until all nodes serve what was pushed. */
export async function measurePushes({ folder, pushes, nodes: count }: PushOptions): Promise<void> {
  const own = join(folder, 'pushes');
  await mkdir(own, { recursive: true });
  const address = `127.${AREA}.0.10`;
  const [port = 0, gitPort = 0] = await freePortsAt([address], 2);
  const dom = { address, port };
  const remote = serveRemote(own, { address, port: gitPort });
  const nodes = await nodesOf(count);
  const stateDir = join(own, 'state');
  const cluster = await startCluster({ stateDir, dom, nodes, geo: 'none' });
  try {
    await remote.commit(filesOf(0), { subject: 'commit 0' });
    await cluster.b8sctlOk(['apply', '-f', '-'], { input: manifests(remote.url) });
    const { tookMs, gitMs } = await pushAll({ cluster, remote, dom, nodes, pushes });
    console.log(`from the call to ${count} nodes, ${pushes} pushes:`);
    console.log(`  b8s                      ${spread(tookMs)}`);
    console.log(`  git alone                ${spread(gitMs)}`);
  } finally {
    await cluster.stop();
    remote.stop();
  }
}

interface Pushing {
  readonly cluster: Cluster;
  readonly remote: ServedRemote;
  readonly dom: { readonly address: string; readonly port: number };
  readonly nodes: readonly NodeOptions[];
  readonly pushes: number;
}

async function pushAll({ cluster, remote, dom, nodes, pushes }: Pushing): Promise<{
  readonly tookMs: readonly number[];
  readonly gitMs: readonly number[];
}> {
  const { get, close } = browser(HOST, await readFile(cluster.caFile, 'utf8'), { keepAlive: true });
  const serves = (node: NodeOptions, text: string): Promise<unknown> => {
    const edge = { address: node.address, port: node.httpsPort };
    const look = async (): Promise<boolean> =>
      (await get(edge, '/').catch(() => undefined))?.body.toString() === text;
    const how = { timeoutMs: WAIT_MS_MAX, everyMs: 10 };
    return until(`${node.name} serves ${text}`, look, how);
  };
  const allServe = (text: string) => Promise.all(nodes.map((node) => serves(node, text)));
  await allServe('commit 0');
  await untilInForce(cluster, 'commit 0');
  const [tookMs, gitMs]: [number[], number[]] = [[], []];
  for (let number = 1; number <= pushes; number += 1) {
    const subject = `commit ${number}`;
    const commit = await remote.commit(filesOf(number), { subject });
    const startMs = performance.now();
    await callWebhook(dom, { name: 'infra', secret: SECRET, commit });
    await allServe(subject);
    tookMs.push(performance.now() - startMs);
    await untilInForce(cluster, subject);
    gitMs.push((await fetchAndRead(remote.url)).ms);
    await pause(Math.max(0, startMs + BETWEEN_CALLS_MS - performance.now()));
  }
  close();
  return { tookMs, gitMs };
}

async function untilInForce(cluster: Cluster, subject: string): Promise<void> {
  const look = async (): Promise<boolean> => {
    const text = await cluster.b8sctlOk(['get', 'repository', 'infra', '-o', 'json']);
    return (JSON.parse(text) as Repository).status?.subject === subject;
  };
  await until(`${subject} is in force`, look, { timeoutMs: WAIT_MS_MAX });
}

function spread(tookMs: readonly number[]): string {
  const [fastest, slowest] = [Math.min(...tookMs), Math.max(...tookMs)];
  const shown = [percentile(tookMs, 0.5), fastest, slowest].map((ms) => ms.toFixed(0));
  return `p50 ${shown[0]} ms, fastest ${shown[1]} ms, slowest ${shown[2]} ms`;
}

async function nodesOf(count: number): Promise<readonly NodeOptions[]> {
  const [dnsPort = 0, httpPort = 0, httpsPort = 0] = await freePorts(3);
  return Array.from({ length: count }, (_, index) => ({
    ...{ name: `node-${index}`, address: `127.${AREA}.0.${11 + index}`, roles: ['edge'] },
    ...{ latitude: index * 7, longitude: index * 13, dnsPort, httpPort, httpsPort },
  }));
}

function filesOf(number: number): Readonly<Record<string, string>> {
  const site = `apiVersion: b8s.dev/v1
kind: Site
metadata: { name: blog }
spec:
  hosts: [${HOST}]
  content: { path: ./public }
`;
  return { 'site.yaml': site, 'public/index.html': `commit ${number}` };
}

function manifests(url: string): string {
  return `apiVersion: b8s.dev/v1
kind: Secret
metadata: { name: hook }
spec: { data: { secret: ${SECRET} } }
---
apiVersion: b8s.dev/v1
kind: Repository
metadata: { name: infra }
spec:
  url: ${url}
  ref: { branch: main }
  # By itself it is not looked at while this runs.
  interval: 1h
  webhook: { secretRef: hook }
`;
}
