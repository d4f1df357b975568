import { createSocket } from 'node:dgram';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { systemClock } from '../../runtime/node/clock.ts';
import { nodeDisk } from '../../runtime/node/disk.ts';
import { freePortsAt } from '../../runtime/node/free-ports.ts';
import { BareRemote, testFolder } from '../../runtime/node/git/bare-remote.fixture.ts';
import { domNames, GIT_REMOTE, type Scenario } from '../../sim/scenarios/scenario.ts';
import type { Files, Page, Stage } from '../../sim/scenarios/stage.ts';
import { type Cluster, type NodeOptions, readText, startCluster } from './cluster.ts';
import { gitDaemon } from './git-servers.ts';
import { type Browser, browser } from './https.ts';
import { type Program, run } from './processes.ts';
import { RealDoms } from './real-doms.ts';
import { openSlowWay } from './slow-way.ts';
import { openStore, type TestStore } from './stores.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

/** The programs as their sources. */
const BIN = resolve(import.meta.dirname, '../../bin');
/** Kept until the next run of the same scenario. */
const LOGS = resolve(import.meta.dirname, '../../.b8s/e2e/scenarios');
/** MaxMind's small test database: it knows where the clients of scenarios are. */
const GEO = resolve(import.meta.dirname, '../../agent/dns/testdata/GeoLite2-City-Test.mmdb');
const AREA = 20 + (process.pid % 200);
/** A datagram that is not answered by then is not answered at all. */
const DATAGRAM_MS_MAX = 2_000;

export interface RealStageOptions {
  /** Of this scenario among those that run at the same time: for its addresses. */
  readonly index: number;
  /** The folder of dom, sub and b8sctl. Left out: they run from their sources. */
  readonly bin?: string;
}

export interface RealStage extends Stage {
  /** Ends every process, and removes all but the logs. */
  dispose(): Promise<void>;
}

/**
 * A stage of real processes, on addresses of its own: 127.<area>.<index>.x. Dom and b8sctl, sub for
 * each node that joins, etcd where there are several doms.
 */
export async function openRealStage(
  scenario: Scenario,
  { index, bin = BIN }: RealStageOptions,
): Promise<RealStage> {
  const { topology, name } = scenario;
  const logDir = join(LOGS, name);
  rmSync(logDir, { recursive: true, force: true });
  const base = `127.${AREA}.${index}`;
  const doms = domNames(topology).map((dom, place) => ({
    name: dom,
    address: `${base}.${9 + place}`,
  }));
  const machines = topology.nodes.map((node, place) => ({
    ...{ name: node.name, roles: node.roles, address: `${base}.${21 + place}` },
    ...node.place,
  }));
  const addresses = [...doms, ...machines].map(({ address }) => address);
  const [port = 0, dnsPort = 0, httpPort = 0, httpsPort = 0, gitPort = 0] = await freePortsAt(
    addresses,
    5,
  );
  const nodes = machines.map((machine) => ({ ...machine, dnsPort, httpPort, httpsPort }));
  const store = await openStore(topology.doms === 1 ? 'sqlite' : 'etcd');
  const [first = { address: '' }, ...others] = doms;
  const git = openRemote(scenario, { address: first.address, port: gitPort });
  const peers = others.map(({ address }) => `${address}:${port}`);
  try {
    const cluster = await startCluster({
      ...{ stateDir: store.stateDir, store: store.store, logDir, nodes: [], geo: [GEO], bin },
      dom: { address: first.address, port, peers },
    });
    const parts = { cluster, doms, port, store: store.store, geo: [GEO], bin, logDir };
    const control = new RealDoms(parts);
    control.startOthers();
    const dom = `http://${first.address}:${port}`;
    return new ProcessStage({ scenario, cluster, control, store, nodes, dom, bin, git });
  } catch (error) {
    git?.end();
    await store.dispose();
    throw error;
  }
}

interface Remote {
  readonly url: string;
  readonly bare: BareRemote;
  end(): void;
}

/** Served by Git's own daemon; undefined: nobody pushes in that scenario. */
function openRemote(
  { steps }: Scenario,
  place: { readonly address: string; readonly port: number },
): Remote | undefined {
  if (steps.every(({ action }) => action.do !== 'commit')) return undefined;
  const folder = testFolder();
  const bare = new BareRemote(join(folder, 'infra.git'));
  const server = gitDaemon({ ...place, folder, repositories: folder });
  const end = (): void => {
    server.end();
    rmSync(folder, { recursive: true, force: true });
  };
  return { url: server.url('infra.git'), bare, end };
}

interface Parts {
  readonly scenario: Scenario;
  readonly cluster: Cluster;
  readonly control: RealDoms;
  readonly store: TestStore;
  readonly nodes: readonly NodeOptions[];
  /** Where the first dom listens. */
  readonly dom: string;
  readonly bin: string;
  readonly git: Remote | undefined;
}

class ProcessStage implements RealStage {
  readonly clock = systemClock();
  readonly #parts: Parts;
  readonly #browsers = new Map<string, Browser>();
  readonly #proxies = new Map<string, TcpProxy>();
  readonly #killed = new Set<string>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async b8sctl(
    words: readonly string[],
    { input = '', files = new Map() }: Parameters<Stage['b8sctl']>[1] = {},
  ): ReturnType<Stage['b8sctl']> {
    const dom = await this.#parts.control.asked();
    const folder = await mkdtemp(join(this.#parts.store.stateDir, 'b8sctl-'));
    const slow = this.#isToBeInterrupted(words)
      ? await openSlowWay(dom.configFile, { folder })
      : undefined;
    const { configFile } = slow ?? dom;
    try {
      for (const [path, bytes] of files) {
        await mkdir(dirname(join(folder, path)), { recursive: true });
        await writeFile(join(folder, path), bytes);
      }
      const all = ['--config', configFile, '--request-timeout', '5s', ...words];
      return await run(join(this.#parts.bin, 'b8sctl'), all, { input, cwd: folder });
    } finally {
      await slow?.stop();
      await rm(folder, { recursive: true, force: true });
    }
  }

  async list(kind: string): ReturnType<Stage['list']> {
    const listed = this.#parts.control.ask((api) => api.list({ kind, namespace: '' }));
    return (await listed.catch(() => undefined))?.objects;
  }

  async join({ name }: { readonly name: string }): Promise<void> {
    const { cluster, control } = this.#parts;
    const node = this.#node(name);
    await cluster.subs.get(name)?.kill9();
    rmSync(cluster.subDir(name), { recursive: true, force: true });
    const { token, caHash, addresses } = await control.ask((api) =>
      api.createToken({ node: name, ttlS: 0 }),
    );
    const words = ['--token', token, '--ca', caHash, '--name', name];
    await cluster.joinNode(node, `sub join https://${addresses[0]} ${words.join(' ')}`);
    if (this.#isCutOffSomeday(name)) await this.#putProxyBefore(name);
    cluster.startSub(node);
  }

  async kill(process: string): Promise<void> {
    this.#killed.add(process);
    await this.#program(process).kill9();
  }

  async start(process: string): Promise<void> {
    this.#program(process).start();
  }

  async pause(process: string): Promise<void> {
    this.#program(process).pause();
  }

  async resume(process: string): Promise<void> {
    this.#program(process).resume();
  }

  async cutOff(node: string): Promise<void> {
    this.#proxies.get(node)?.cut();
  }

  async heal(node: string): Promise<void> {
    this.#proxies.get(node)?.heal();
  }

  async ask(node: string, query: Uint8Array): Promise<Uint8Array | undefined> {
    const { address, dnsPort } = this.#node(node);
    const socket = createSocket('udp4');
    try {
      return await new Promise((done) => {
        const late = setTimeout(() => done(undefined), DATAGRAM_MS_MAX);
        const end = (answer: Uint8Array | undefined): void => {
          clearTimeout(late);
          done(answer);
        };
        socket.on('message', end);
        socket.on('error', () => end(undefined));
        // Connected, so that nobody else can answer, and a closed port says so.
        socket.connect(dnsPort, address, () => socket.send(query));
      });
    } finally {
      socket.close();
    }
  }

  async fetch(node: string, host: string, path: string): Promise<Page | undefined> {
    const { address, httpsPort: port } = this.#node(node);
    const client =
      this.#browsers.get(host) ??
      browser(host, readText(this.#parts.cluster.caFile), { keepAlive: false });
    this.#browsers.set(host, client);
    try {
      const { status, headers, body } = await client.get({ address, port }, path);
      const texts = Object.entries(headers).map(([name, value]) => [name, value?.toString()]);
      return { status, headers: Object.fromEntries(texts) as Page['headers'], body };
    } catch {
      return undefined;
    }
  }

  disk(node: string): ReturnType<Stage['disk']> {
    return nodeDisk(this.#parts.cluster.subDir(node));
  }

  async blobs(): Promise<number> {
    const folder = join(this.#parts.cluster.stateDir, 'dom', 'blobs');
    const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
    return entries.filter((entry) => entry.isFile()).length;
  }

  gitUrl(): string {
    return this.#parts.git?.url ?? GIT_REMOTE;
  }

  async commit(files: Files, subject: string): Promise<string> {
    const { git } = this.#parts;
    if (git === undefined) throw new Error('this scenario has no Git remote');
    return await git.bare.commit(Object.fromEntries(files), { subject });
  }

  addressOf(node: string): string {
    return this.#node(node).address;
  }

  making(): void {
    // Here nobody looks over the shoulder.
  }

  async dispose(): Promise<void> {
    const { control, cluster, store, git } = this.#parts;
    git?.end();
    for (const client of this.#browsers.values()) client.close();
    await Promise.all([control.dispose(), ...[...cluster.subs.values()].map((sub) => sub.kill9())]);
    await Promise.all([...this.#proxies.values()].map((proxy) => proxy.stop()));
    await store.dispose();
  }

  #program(process: string): Program {
    const { control, cluster } = this.#parts;
    const found = control.program(process) ?? cluster.subs.get(process);
    if (found === undefined) throw new Error(`${process} was never started`);
    return found;
  }

  #node(name: string): NodeOptions {
    const found = this.#parts.nodes.find((each) => each.name === name);
    if (found === undefined) throw new Error(`there is no machine ${name}`);
    return found;
  }

  #isCutOffSomeday(node: string): boolean {
    const { steps } = this.#parts.scenario;
    return steps.some(({ action }) => action.do === 'cutOff' && action.node === node);
  }

  /** Whether this push, or one after it for the same Site, is interrupted by a kill. */
  #isToBeInterrupted([verb, ...words]: readonly string[]): boolean {
    const { steps } = this.#parts.scenario;
    const cuts = steps.flatMap(({ action }) =>
      action.do === 'publish' && words.at(-1) === action.site ? (action.interrupted ?? []) : [],
    );
    return verb === 'push' && cuts.some((cut) => !this.#killed.has(cut.kill));
  }

  /** From now on the node reaches dom by a way that can be cut. */
  async #putProxyBefore(name: string): Promise<void> {
    const { cluster, dom } = this.#parts;
    const proxy = await startTcpProxy(dom);
    this.#proxies.set(name, proxy);
    const file = join(cluster.subDir(name), 'node.json');
    const identity = JSON.parse(readFileSync(file, 'utf8')) as object;
    const domAddresses = [new URL(proxy.endpoint).host];
    writeFileSync(file, JSON.stringify({ ...identity, domAddresses }));
  }
}
