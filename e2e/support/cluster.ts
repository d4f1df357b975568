import { existsSync, readFileSync } from 'node:fs';
import { get } from 'node:https';
import { join, resolve } from 'node:path';
import { type Connection, connectionOf, parseConfig } from '../../runtime/client-config.ts';
import { logTail, type Program, program, run, until } from './processes.ts';

const ROOT = resolve(import.meta.dirname, '../..');
/** The programs as their sources. */
const BIN = join(ROOT, 'bin');

export interface NodeOptions {
  readonly name: string;
  /** Its own address in 127.0.0.0/8. */
  readonly address: string;
  readonly latitude: number;
  readonly longitude: number;
  readonly dnsPort: number;
  readonly httpPort: number;
  readonly httpsPort: number;
  /** Left out: dom's default, edge and nameserver. */
  readonly roles?: readonly string[];
}

export interface ClusterOptions {
  readonly stateDir: string;
  /** The folder of dom, sub and b8sctl. Left out: they run from their sources. */
  readonly bin?: string;
  readonly dom: {
    readonly address: string;
    readonly port: number;
    /** "host:port" of other doms on the same store. */
    readonly peers?: readonly string[];
    /** Further ones of `dom run`. */
    readonly flags?: readonly string[];
  };
  readonly store?:
    | { readonly kind: 'etcd'; readonly endpoint: string }
    | { readonly kind: 'sqlite' };
  readonly nodes: readonly NodeOptions[];
  /** MaxMind DB files; left out: dom's default. `none`: no geography. */
  readonly geo?: readonly string[] | 'none';
  /** For `sub run` of all nodes. */
  readonly subFlags?: readonly string[];
  readonly onProgress?: (step: string) => void;
  /** Left out: `log` in the state folder. */
  readonly logDir?: string;
}

export interface Cluster {
  readonly dom: Program;
  readonly subs: ReadonlyMap<string, Program>;
  readonly stateDir: string;
  readonly configFile: string;
  /** PEM of the cluster's CA, which also signs the sites' certificates. */
  readonly caFile: string;
  b8sctl(
    args: readonly string[],
    options?: { readonly input?: string; readonly cwd?: string; readonly timeoutMs?: number },
  ): Promise<{ readonly stdout: string; readonly stderr: string; readonly exitCode: number }>;
  /** Like `b8sctl`, but a failure throws with what was said. */
  b8sctlOk(
    args: readonly string[],
    options?: { readonly input?: string; readonly timeoutMs?: number },
  ): Promise<string>;
  /** Runs a command of sub to its end. */
  sub(args: readonly string[]): ReturnType<typeof run>;
  /** `command`: the one that b8sctl would print; left out: it is asked for one. */
  joinNode(node: NodeOptions, command?: string): Promise<void>;
  startSub(node: NodeOptions): void;
  /** Where that node's sub keeps everything. */
  subDir(node: string): string;
  /** For clients of the API in this process. */
  connection(): Connection;
  domReady(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts dom and its nodes as real processes, joined by real tokens; resumes earlier state. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const progress = options.onProgress ?? (() => undefined);
  const cluster = new RunningCluster(options);
  try {
    progress('starting dom');
    cluster.dom.start();
    await cluster.domReady();
    for (const node of options.nodes) {
      if (!cluster.joined(node.name)) {
        progress(`joining ${node.name}`);
        await cluster.joinNode(node);
      }
      cluster.startSub(node);
    }
    return cluster;
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

class RunningCluster implements Cluster {
  readonly dom: Program;
  readonly subs = new Map<string, Program>();
  readonly stateDir: string;
  readonly configFile: string;
  readonly caFile: string;
  readonly #options: ClusterOptions;
  readonly #bin: string;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.#bin = options.bin ?? BIN;
    this.stateDir = resolve(options.stateDir);
    this.configFile = join(this.stateDir, 'dom', 'config');
    this.caFile = join(this.stateDir, 'dom', 'ca.pem');
    this.dom = program({
      name: 'dom',
      command: join(this.#bin, 'dom'),
      args: domArguments(options, join(this.stateDir, 'dom')),
      logFile: this.#logFile('dom'),
    });
  }

  async domReady(): Promise<void> {
    const { address, port } = this.#options.dom;
    const look = async (): Promise<'ready' | 'ended' | undefined> => {
      if (!this.dom.running) return 'ended';
      return (await healthy(address, port)) ? 'ready' : undefined;
    };
    const ready = until('dom is ready', look, { timeoutMs: 30_000 });
    if ((await ready.catch(() => 'late')) === 'ready') return;
    throw new Error(`dom did not start; its log ends:\n${logTail(this.dom.logFile)}`);
  }

  joined(node: string): boolean {
    return existsSync(join(this.subDir(node), 'node.json'));
  }

  sub(args: readonly string[]): ReturnType<typeof run> {
    return run(join(this.#bin, 'sub'), args);
  }

  async joinNode(node: NodeOptions, command?: string): Promise<void> {
    const create = ['node', 'token', 'create', '--node', node.name];
    const printed = command ?? (await this.b8sctlOk(create));
    const [program, ...words] = printed.trim().split(/\s+/);
    if (program !== 'sub') throw new Error(`no join command: ${printed}`);
    const location = `--location=${node.latitude},${node.longitude}`;
    const ports = [
      ...['--dns-port', String(node.dnsPort)],
      ...['--http-port', String(node.httpPort)],
      ...['--https-port', String(node.httpsPort)],
    ];
    const role = node.roles === undefined ? [] : ['--role', node.roles.join(',')];
    const state = ['--state', this.subDir(node.name)];
    const extra = ['--ipv4', node.address, location, ...role, ...ports, ...state];
    const joined = await run(join(this.#bin, 'sub'), [...words, ...extra]);
    if (joined.exitCode !== 0) throw new Error(`${node.name} did not join: ${joined.stderr}`);
  }

  startSub(node: NodeOptions): void {
    const sub =
      this.subs.get(node.name) ??
      program({
        name: node.name,
        command: join(this.#bin, 'sub'),
        args: ['run', '--state', this.subDir(node.name), ...(this.#options.subFlags ?? [])],
        logFile: this.#logFile(node.name),
      });
    this.subs.set(node.name, sub);
    sub.start();
  }

  async b8sctl(
    args: readonly string[],
    options: { readonly input?: string; readonly cwd?: string; readonly timeoutMs?: number } = {},
  ): Promise<{ readonly stdout: string; readonly stderr: string; readonly exitCode: number }> {
    return run(join(this.#bin, 'b8sctl'), ['--config', this.configFile, ...args], options);
  }

  async b8sctlOk(
    args: readonly string[],
    options: { readonly input?: string; readonly timeoutMs?: number } = {},
  ): Promise<string> {
    const { stdout, stderr, exitCode } = await this.b8sctl(args, options);
    if (exitCode !== 0)
      throw new Error(`b8sctl ${args.join(' ')}: exit ${exitCode}: ${stderr}${stdout}`);
    return stdout;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.subs.values(), this.dom].map((each) => each.stop()));
  }

  subDir(node: string): string {
    return join(this.stateDir, 'sub', node);
  }

  connection(): Connection {
    return connectionOf(parseConfig(readFileSync(this.configFile, 'utf8')), '');
  }

  #logFile(name: string): string {
    return join(this.#options.logDir ?? join(this.stateDir, 'log'), `${name}.log`);
  }
}

/** Three nodes at real places, on addresses `127.<area>.0.11` and so on: each test its own area. */
export function threeNodes(
  area: number,
  ports: { dns: number; http: number; https: number },
): readonly NodeOptions[] {
  const places = [
    { name: 'sydney', latitude: -33.8688, longitude: 151.2093 },
    { name: 'london', latitude: 51.5074, longitude: -0.1278 },
    { name: 'newyork', latitude: 40.7128, longitude: -74.006 },
  ];
  return places.map((place, index) => ({
    ...place,
    address: `127.${area}.0.${11 + index}`,
    dnsPort: ports.dns,
    httpPort: ports.http,
    httpsPort: ports.https,
  }));
}

/** The command line of one dom. */
export function domArguments(
  options: Pick<ClusterOptions, 'dom' | 'store' | 'geo'>,
  stateDir: string,
): readonly string[] {
  const { dom, store = { kind: 'sqlite' }, geo = [] } = options;
  const place = ['--state', stateDir, '--listen', `${dom.address}:${dom.port}`];
  const kept =
    store.kind === 'etcd'
      ? ['--store', 'etcd', '--etcd-endpoint', store.endpoint]
      : ['--store', 'sqlite'];
  const files = geo === 'none' ? ['--no-geo'] : geo.flatMap((file) => ['--geo', file]);
  const peers = (dom.peers ?? []).flatMap((peer) => ['--peer', peer]);
  return ['run', ...place, ...kept, ...files, ...peers, ...(dom.flags ?? [])];
}

/** Whether a dom leads there. */
export async function healthy(host: string, port: number): Promise<boolean> {
  return new Promise((done) => {
    const request = get(
      { host, port, path: '/healthz', rejectUnauthorized: false, timeout: 2_000, agent: false },
      (response) => {
        response.resume();
        done(response.statusCode === 200);
      },
    );
    request.once('timeout', () => request.destroy());
    request.once('error', () => done(false));
  });
}

export function readText(file: string): string {
  return readFileSync(file, 'utf8');
}
