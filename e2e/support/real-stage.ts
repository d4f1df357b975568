import { createSocket } from 'node:dgram';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Api } from '../../runtime/api-client.ts';
import { connectionOf, parseConfig } from '../../runtime/client-config.ts';
import { systemClock } from '../../runtime/node/clock.ts';
import { nodeDisk } from '../../runtime/node/disk.ts';
import { grpcApi } from '../../runtime/node/grpc-api.ts';
import { domNames, type Scenario } from '../../sim/scenarios/scenario.ts';
import type { Page, Stage } from '../../sim/scenarios/stage.ts';
import {
  type Cluster,
  domArguments,
  healthy,
  type NodeOptions,
  readText,
  startCluster,
} from './cluster.ts';
import { type Browser, browser } from './https.ts';
import { freePortsAt } from './ports.ts';
import { type Program, program, run } from './processes.ts';
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
const REQUEST_MS_MAX = 5_000;

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
  const [port = 0, dnsPort = 0, httpPort = 0, httpsPort = 0] = await freePortsAt(addresses, 4);
  const nodes = machines.map((machine) => ({ ...machine, dnsPort, httpPort, httpsPort }));
  const store = await openStore(topology.doms === 1 ? 'sqlite' : 'etcd');
  const [first = { address: '' }, ...others] = doms;
  const peers = others.map(({ address }) => `${address}:${port}`);
  try {
    const cluster = await startCluster({
      ...{ stateDir: store.stateDir, store: store.store, logDir, nodes: [], geo: [GEO], bin },
      dom: { address: first.address, port, peers },
    });
    const stage = new ProcessStage({ scenario, cluster, store, nodes, port, doms, logDir, bin });
    await stage.startOtherDoms();
    return stage;
  } catch (error) {
    await store.dispose();
    throw error;
  }
}

interface Parts {
  readonly scenario: Scenario;
  readonly cluster: Cluster;
  readonly store: TestStore;
  readonly nodes: readonly NodeOptions[];
  readonly doms: readonly { readonly name: string; readonly address: string }[];
  /** Of every dom. */
  readonly port: number;
  readonly logDir: string;
  readonly bin: string;
}

/** One of several doms, or the only one. */
interface RealDom {
  readonly program: Program;
  readonly address: string;
  readonly configFile: string;
  api: Api | undefined;
}

class ProcessStage implements RealStage {
  readonly clock = systemClock();
  readonly #parts: Parts;
  readonly #doms: ReadonlyMap<string, RealDom>;
  readonly #browsers = new Map<string, Browser>();
  readonly #proxies = new Map<string, TcpProxy>();

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#doms = new Map(parts.doms.map((dom, index) => [dom.name, this.#domOf(dom, index)]));
  }

  async startOtherDoms(): Promise<void> {
    const [, ...others] = this.#doms.values();
    for (const { program: each } of others) each.start();
  }

  async b8sctl(
    words: readonly string[],
    { input = '', files = new Map() }: Parameters<Stage['b8sctl']>[1] = {},
  ): ReturnType<Stage['b8sctl']> {
    const dom = await this.#asked();
    const folder = await mkdtemp(join(this.#parts.store.stateDir, 'b8sctl-'));
    try {
      for (const [path, bytes] of files) {
        await mkdir(dirname(join(folder, path)), { recursive: true });
        await writeFile(join(folder, path), bytes);
      }
      const all = ['--config', dom.configFile, '--request-timeout', '5s', ...words];
      return await run(join(this.#parts.bin, 'b8sctl'), all, { input, cwd: folder });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async list(kind: string): ReturnType<Stage['list']> {
    const dom = await this.#asked();
    try {
      return (await this.#api(dom).list({ kind, namespace: '' })).objects;
    } catch {
      // The next one dials at once, not after the pauses that gRPC makes between its tries.
      dom.api?.close();
      dom.api = undefined;
      return undefined;
    }
  }

  async join({ name }: { readonly name: string }): Promise<void> {
    const { cluster } = this.#parts;
    const node = this.#node(name);
    await cluster.subs.get(name)?.kill9();
    rmSync(cluster.subDir(name), { recursive: true, force: true });
    const api = this.#api(await this.#asked());
    const { token, caHash, addresses } = await api.createToken({ node: name, ttlS: 0 });
    const words = ['--token', token, '--ca', caHash, '--name', name];
    await cluster.joinNode(node, `sub join https://${addresses[0]} ${words.join(' ')}`);
    if (this.#isCutOffSomeday(name)) await this.#putProxyBefore(name);
    cluster.startSub(node);
  }

  async kill(process: string): Promise<void> {
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

  addressOf(node: string): string {
    return this.#node(node).address;
  }

  making(): void {
    // Here nobody looks over the shoulder.
  }

  async dispose(): Promise<void> {
    const programs = [...this.#doms.values()].map((dom) => dom.program);
    for (const { api } of this.#doms.values()) api?.close();
    for (const client of this.#browsers.values()) client.close();
    await Promise.all(
      [...programs, ...this.#parts.cluster.subs.values()].map((each) => each.kill9()),
    );
    await Promise.all([...this.#proxies.values()].map((proxy) => proxy.stop()));
    await this.#parts.store.dispose();
  }

  /** The one that a person would turn to: one that leads, if there are several. */
  async #asked(): Promise<RealDom> {
    const doms = [...this.#doms.values()];
    const [first] = doms;
    if (first === undefined) throw new Error('a cluster has at least one dom');
    if (doms.length === 1) return first;
    const leads = await Promise.all(
      doms.map(async (dom) => dom.program.running && healthy(dom.address, this.#parts.port)),
    );
    return doms[leads.indexOf(true)] ?? doms.find((dom) => dom.program.running) ?? first;
  }

  #api(dom: RealDom): Api {
    dom.api ??= grpcApi(connectionOf(parseConfig(readText(dom.configFile)), ''), {
      requestTimeoutMs: REQUEST_MS_MAX,
      command: 'e2e',
    });
    return dom.api;
  }

  #domOf(dom: Parts['doms'][number], index: number): RealDom {
    const { cluster, port, store, doms, logDir, bin } = this.#parts;
    const { address } = dom;
    if (index === 0)
      return { program: cluster.dom, address, configFile: cluster.configFile, api: undefined };
    const stateDir = join(cluster.stateDir, dom.name);
    mkdirSync(stateDir, { recursive: true });
    // On a machine of its own it would be brought there by hand.
    copyFileSync(join(cluster.stateDir, 'dom', 'seal.key'), join(stateDir, 'seal.key'));
    const peers = doms.filter((each) => each !== dom).map((each) => `${each.address}:${port}`);
    const own = { dom: { address, port, peers }, store: store.store, geo: [GEO] };
    return {
      program: program({
        name: dom.name,
        command: join(bin, 'dom'),
        args: domArguments(own, stateDir),
        logFile: join(logDir, `${dom.name}.log`),
      }),
      ...{ address, configFile: join(stateDir, 'config'), api: undefined },
    };
  }

  #program(process: string): Program {
    const found = this.#doms.get(process)?.program ?? this.#parts.cluster.subs.get(process);
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

  /** From now on the node reaches dom by a way that can be cut. */
  async #putProxyBefore(name: string): Promise<void> {
    const { cluster, doms, port } = this.#parts;
    const [first] = doms;
    const proxy = await startTcpProxy(`http://${first?.address}:${port}`);
    this.#proxies.set(name, proxy);
    const file = join(cluster.subDir(name), 'node.json');
    const identity = JSON.parse(readFileSync(file, 'utf8')) as object;
    const domAddresses = [new URL(proxy.endpoint).host];
    writeFileSync(file, JSON.stringify({ ...identity, domAddresses }));
  }
}
