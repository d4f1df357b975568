import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Api } from '../../runtime/api-client.ts';
import { connectionOf, parseConfig } from '../../runtime/client-config.ts';
import { grpcApi } from '../../runtime/node/grpc/api.ts';
import { type Cluster, type ClusterOptions, domArguments, healthy, readText } from './cluster.ts';
import { type Program, program } from './processes.ts';

/** One of several doms on one store, or the only one. */
export interface RealDom {
  readonly name: string;
  readonly address: string;
  readonly program: Program;
  readonly configFile: string;
}

export interface RealDomsOptions {
  /** Whose dom is the first one. */
  readonly cluster: Cluster;
  /** Its own first. */
  readonly doms: readonly { readonly name: string; readonly address: string }[];
  /** Of every dom. */
  readonly port: number;
  readonly store: NonNullable<ClusterOptions['store']>;
  readonly geo: readonly string[];
  readonly bin: string;
  readonly logDir: string;
}

const REQUEST_MS_MAX = 5_000;

/** The control plane of a cluster, as processes, and a client for whoever of them is asked. */
export class RealDoms {
  readonly #port: number;
  readonly #doms: readonly RealDom[];
  /** By dom: kept from question to question. */
  readonly #apis = new Map<string, Api>();

  constructor(options: RealDomsOptions) {
    this.#port = options.port;
    this.#doms = options.doms.map((dom, index) =>
      index === 0 ? firstDom(options.cluster, dom) : furtherDom(options, dom),
    );
  }

  /** All but the first, which its cluster has started. */
  startOthers(): void {
    for (const { program: each } of this.#doms.slice(1)) each.start();
  }

  program(name: string): Program | undefined {
    return this.#doms.find((dom) => dom.name === name)?.program;
  }

  /** The one that a person would turn to: one that leads, if there are several. */
  async asked(): Promise<RealDom> {
    const doms = this.#doms;
    const [first] = doms;
    if (first === undefined) throw new Error('a cluster has at least one dom');
    if (doms.length === 1) return first;
    const leads = await Promise.all(
      doms.map(async (dom) => dom.program.running && healthy(dom.address, this.#port)),
    );
    return doms[leads.indexOf(true)] ?? doms.find((dom) => dom.program.running) ?? first;
  }

  /** Asks that one. After a failure the next question dials anew, without gRPC's pauses. */
  async ask<T>(question: (api: Api) => Promise<T>): Promise<T> {
    const { name, configFile } = await this.asked();
    const connection = connectionOf(parseConfig(readText(configFile)), '');
    const api =
      this.#apis.get(name) ??
      grpcApi(connection, { requestTimeoutMs: REQUEST_MS_MAX, command: 'e2e' });
    this.#apis.set(name, api);
    try {
      return await question(api);
    } catch (error) {
      api.close();
      this.#apis.delete(name);
      throw error;
    }
  }

  async dispose(): Promise<void> {
    for (const api of this.#apis.values()) api.close();
    await Promise.all(this.#doms.map((dom) => dom.program.kill9()));
  }
}

type Planned = RealDomsOptions['doms'][number];

function firstDom({ dom, configFile }: Cluster, planned: Planned): RealDom {
  return { ...planned, program: dom, configFile };
}

function furtherDom(options: RealDomsOptions, planned: Planned): RealDom {
  const { cluster, doms, port, store, geo, bin, logDir } = options;
  const { name, address } = planned;
  const stateDir = join(cluster.stateDir, name);
  mkdirSync(stateDir, { recursive: true });
  // On a machine of its own it would be brought there by hand.
  copyFileSync(join(cluster.stateDir, 'dom', 'seal.key'), join(stateDir, 'seal.key'));
  const peers = doms.filter((each) => each !== planned).map((each) => `${each.address}:${port}`);
  const own = { dom: { address, port, peers }, store, geo };
  return {
    ...planned,
    configFile: join(stateDir, 'config'),
    program: program({
      name,
      command: join(bin, 'dom'),
      args: domArguments(own, stateDir),
      logFile: join(logDir, `${name}.log`),
    }),
  };
}
