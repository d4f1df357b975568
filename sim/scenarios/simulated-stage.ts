import type { Disk } from '../../runtime/disk/disk.ts';
import type { FakeRemote } from '../../runtime/git/fake/remote.ts';
import type { HttpAnswer } from '../../runtime/http.ts';
import type { Cluster, DomHost } from '../cluster/cluster.ts';
import { EPOCH_MS, type Scheduler } from '../engine/scheduler.ts';
import type { RunningDom } from '../hosts/dom-host.ts';
import type { RunningSub, Sub } from '../hosts/sub-host.ts';
import { simulatedB8sctl } from '../load/b8sctl.ts';
import { domApi } from '../load/dom-api.ts';
import { apart } from '../net/reachability.ts';
import { GIT_REMOTE } from './scenario.ts';
import type { Page, Stage } from './stage.ts';

/** How long b8sctl, and whoever looks, waits for one answer of dom. */
const REQUEST_MS_MAX = 5_000;

export interface SimulatedParts {
  readonly cluster: Cluster;
  readonly scheduler: Scheduler;
  /** The Git remote of the world. */
  readonly remote: FakeRemote;
}

/** A stage in a simulated world, which its scheduler moves on. */
export function simulatedStage({ cluster, scheduler, remote }: SimulatedParts): Stage {
  const clock = scheduler.clock();
  const user = cluster.newUser('player');
  const api = (command: string) =>
    domApi({ clock, dom: () => asked(cluster), requestTimeoutMs: REQUEST_MS_MAX, command });
  /** By name: what ends it. */
  const paused = new Map<string, () => void>();
  const heals = new Map<string, () => void>();

  const sub = (name: string): Sub => {
    const found = cluster.sub(name);
    if (found === undefined) throw new Error(`there is no machine ${name}`);
    return found;
  };
  const dom = (name: string): DomHost | undefined =>
    cluster.doms.find(({ host }) => host.name === name);
  /** Undefined: nothing listens there, or it stands still. */
  const serving = (node: string): RunningSub['serving'] => {
    const { running } = sub(node);
    return running?.process.paused === true ? undefined : running?.serving;
  };

  return {
    clock,
    b8sctl: (words, { input = '', files = new Map() } = {}) =>
      simulatedB8sctl(words, { clock, api: api(`b8sctl ${words.join(' ')}`), input, files }),
    list: async (kind) => {
      const listed = await api('')
        .list({ kind, namespace: '' })
        .catch(() => undefined);
      return listed?.objects;
    },
    async join({ name, roles, place }) {
      const { address } = sub(name);
      const identity = await user.join(name, { ipv4: [address], location: place, roles });
      await cluster.install(name, identity);
    },
    async kill(process) {
      const host = dom(process);
      paused.delete(process);
      if (host === undefined) cluster.crashSub(sub(process));
      else cluster.crashDom(host);
    },
    async start(process) {
      const host = dom(process);
      if (host === undefined) cluster.startSub(sub(process));
      else cluster.startDom(host);
    },
    async pause(process) {
      const host = dom(process);
      if (host !== undefined) return void paused.set(process, cluster.pauseDom(host));
      const { running } = sub(process);
      running?.process.pause();
      paused.set(process, () => running?.process.resume());
    },
    async resume(process) {
      paused.get(process)?.();
      paused.delete(process);
    },
    async cutOff(node) {
      const cuts = apart(
        [node],
        cluster.doms.map(({ host }) => host.name),
      );
      heals.set(node, cluster.network.cut(cuts, `${node} is cut off from dom`));
    },
    async heal(node) {
      heals.get(node)?.();
      heals.delete(node);
    },
    async ask(node, query) {
      const resolver = { address: '127.0.0.1', transport: 'udp' } as const;
      return serving(node)?.resolve(query, resolver, EPOCH_MS + scheduler.nowMs);
    },
    async fetch(node, host, path) {
      const request = { method: 'GET', path, host, headers: {}, secure: true };
      const answer = await serving(node)?.request(request);
      if (answer === undefined) return undefined;
      // Over TLS there is no certificate to show for it, so that nobody gets as far as an answer.
      return answer.status === MISDIRECTED ? undefined : pageOf(answer);
    },
    disk: (node): Pick<Disk, 'read'> => sub(node).host.disk,
    async blobs() {
      const [first] = cluster.doms;
      const files = [...(first?.host.disk.files().keys() ?? [])];
      return files.filter((path) => path.startsWith('blobs/')).length;
    },
    gitUrl: () => GIT_REMOTE,
    commit: async (files, subject) => remote.commit(Object.fromEntries(files), { subject }),
    addressOf: (node) => sub(node).address,
    making: (release) => cluster.published(release.site, { ...release, blobs: [], sizeBytes: 0 }),
  };
}

/** RFC 9110 §15.5.20 */
const MISDIRECTED = 421;

/** The one that a person would turn to: one that leads, else any that answers at all. */
function asked(cluster: Cluster): RunningDom | undefined {
  const running = cluster.runningDoms();
  const awake = running.filter(({ process }) => !process.paused);
  return awake.find(({ dom }) => dom.leads) ?? awake[0] ?? running[0];
}

function pageOf({ status, headers, body }: HttpAnswer): Page {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  if (bytes !== undefined && !(bytes instanceof Uint8Array))
    throw new Error('a page of a scenario is small enough to come in one piece');
  return { status, headers: Object.fromEntries(headers), body: bytes ?? new Uint8Array() };
}
