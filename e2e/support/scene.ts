import { readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { freePortsAt } from '../../runtime/node/free-ports.ts';
import {
  type Cluster,
  type ClusterOptions,
  type NodeOptions,
  startCluster,
  threeNodes,
} from './cluster.ts';
import { askDns, type DnsAnswer } from './dns.ts';
import type { Edge } from './https.ts';
import { missing, openStore, STORES, type TestStore } from './stores.ts';

export type StoreKind = (typeof STORES)[number];

/** Log files of all tests: kept until the next run of the same one. */
const LOGS = resolve(import.meta.dirname, '../../.b8s/e2e');
/** Each process its own addresses, 127.<area>.0.x, so that two runs do not meet. */
export const AREA: number = 20 + (process.pid % 200);

/** A running cluster, for the tests of one `describe`. */
export interface Scene {
  readonly cluster: Cluster;
  readonly nodes: readonly NodeOptions[];
  readonly dom: { readonly address: string; readonly port: number };
  /** Where further doms are to listen: "host:port". */
  readonly peers: readonly string[];
  readonly store: TestStore['store'];
  readonly logDir: string;
  /** PEM of what signs the sites' certificates. */
  ca(): string;
  node(name: string): NodeOptions;
}

export interface SceneOptions {
  /** For the log folder: `<name>-<store>`. */
  readonly name: string;
  readonly geo?: ClusterOptions['geo'];
  /** How many of the three nodes. */
  readonly nodes?: number;
  /** How many doms are planned; the test starts those beyond the first. */
  readonly doms?: number;
  /** The folder of dom, sub and b8sctl. Left out: they run from their sources. */
  readonly bin?: string;
  /** For `sub run` of all nodes. */
  readonly subFlags?: readonly string[];
  /** For `dom run`. */
  readonly domFlags?: readonly string[];
  /** Where nameservers listen: resolvers know of no other port than 53. Left out: any. */
  readonly dnsPort?: number;
}

/** The same tests on each store; skipped, with the reason, where one is missing. */
export async function describeOnStores(
  title: string,
  cases: (kind: StoreKind) => void,
  kinds: readonly StoreKind[] = STORES,
): Promise<void> {
  for (const kind of kinds) {
    const reason = await missing(kind);
    const suffix = reason === undefined ? '' : ` (skipped: ${reason})`;
    describe.skipIf(reason !== undefined)(`${title}, on ${kind}${suffix}`, () => cases(kind));
  }
}

/** Starts a cluster before the tests of this `describe`, and ends all of it after them. */
export function useScene(kind: StoreKind, options: SceneOptions): () => Scene {
  let scene: Scene | undefined;
  let store: TestStore | undefined;
  beforeAll(async () => {
    const logDir = join(LOGS, `${options.name}-${kind}`);
    rmSync(logDir, { recursive: true, force: true });
    store = await openStore(kind);
    scene = await startScene(store, logDir, options);
  });
  afterAll(async () => {
    await scene?.cluster.stop();
    await store?.dispose();
  });
  return () => {
    if (scene === undefined) throw new Error('the cluster did not start');
    return scene;
  };
}

async function startScene(
  { store, stateDir }: TestStore,
  logDir: string,
  options: SceneOptions,
): Promise<Scene> {
  const address = `127.${AREA}.0.10`;
  const others = Array.from(
    { length: (options.doms ?? 1) - 1 },
    (_, n) => `127.${AREA}.0.${9 - n}`,
  );
  const planned = threeNodes(AREA, { dns: 0, http: 0, https: 0 });
  const addresses = [address, ...others, ...planned.map((node) => node.address)];
  const [port = 0, freeDns = 0, http = 0, https = 0] = await freePortsAt(addresses, 4);
  const dns = options.dnsPort ?? freeDns;
  const nodes = threeNodes(AREA, { dns, http, https }).slice(0, options.nodes ?? 3);
  const peers = others.map((other) => `${other}:${port}`);
  const dom = { address, port, peers, flags: options.domFlags ?? [] };
  const { geo = 'none', bin, subFlags = [] } = options;
  const cluster = await startCluster({
    ...{ stateDir, store, dom, nodes, geo, logDir, subFlags, ...(bin !== undefined && { bin }) },
  });
  const node = (name: string): NodeOptions => {
    const found = nodes.find((each) => each.name === name);
    if (found === undefined) throw new Error(`no node ${name}`);
    return found;
  };
  const ca = (): string => readFileSync(cluster.caFile, 'utf8');
  return { cluster, nodes, dom, peers, store, logDir, ca, node };
}

export function edgeOf(node: NodeOptions): Edge {
  return { address: node.address, port: node.httpsPort };
}

/** Asks this node's nameserver, over UDP. */
export function askNode(
  node: NodeOptions,
  question: Parameters<typeof askDns>[1],
  client?: string,
): Promise<DnsAnswer> {
  return askDns({ address: node.address, port: node.dnsPort }, question, client);
}

/** Pushes a folder and waits until every node serves it. Gives what b8sctl said. */
export async function publish(
  { cluster }: Scene,
  site: string,
  folder: string,
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const args = ['push', folder, '--site', site, '--wait', '--timeout', '120s'];
  const said = await cluster.b8sctl(args, { timeoutMs: 130_000 });
  if (said.exitCode !== 0) throw new Error(`b8sctl ${args.join(' ')}: ${said.stderr}`);
  return said;
}

/** YAML of a site without content; a folder is pushed to it. */
export function siteYaml(name: string, host: string, spec = ''): string {
  return `apiVersion: b8s.dev/v1
kind: Site
metadata: { name: ${name} }
spec:
  hosts: [${host}]
${spec}`;
}

export function zoneYaml(name: string, origin: string, records = '[]'): string {
  return `apiVersion: b8s.dev/v1
kind: Zone
metadata: { name: ${name} }
spec:
  origin: ${origin}
  records: ${records}
`;
}
