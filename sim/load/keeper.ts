import type { Site } from '../../api/site.ts';
import { type Author, Writer } from '../../runtime/store/writer.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { SeededRandom } from '../engine/random.ts';
import type { Scheduler } from '../engine/scheduler.ts';
import type { RunningDom } from '../hosts/dom-host.ts';

export interface KeeperPorts {
  readonly scheduler: Scheduler;
  readonly random: SeededRandom;
  /** Until then it takes Sites into its care. */
  readonly untilMs: number;
}

/** How the Sites say so that are in its care. */
export const FINALIZER = 'keeper.sim/clean-up';
const AUTHOR: Author = { manager: 'keeper', user: 'dom' };
const PAUSE_MS_MAX = 4_000;
const IN_CARE = 0.3;
/** How long it takes to clean up. */
const CLEANS_UP_MS_MAX = 3_000;

/**
 * A controller that has something to clean up after a Site, elsewhere: it puts a finalizer on some,
 * and takes it away once a Site that was deleted has left nothing behind. In production there is
 * none yet; what finalizers are for must hold before there is one.
 */
export function startKeeper(cluster: Cluster, ports: KeeperPorts): void {
  const keeper = new Keeper(cluster, ports);
  const { scheduler, random } = ports;
  const look = (): void => {
    keeper.look().catch(() => undefined);
    scheduler.after(random.integer(1, PAUSE_MS_MAX), look);
  };
  scheduler.after(random.integer(1, PAUSE_MS_MAX), look);
}

class Keeper {
  readonly #cluster: Cluster;
  readonly #ports: KeeperPorts;
  /** By uid: when it is done there. */
  readonly #doneMs = new Map<string, number>();

  constructor(cluster: Cluster, ports: KeeperPorts) {
    this.#cluster = cluster;
    this.#ports = ports;
  }

  async look(): Promise<void> {
    for (const leader of this.#cluster.runningDoms()) {
      if (!leader.dom.leads || leader.process.paused) continue;
      const { mirror } = await leader.dom.leading();
      for (const site of mirror.list('Site')) await this.#visit(leader, site);
    }
  }

  async #visit(leader: RunningDom, site: Site): Promise<void> {
    const { random, scheduler, untilMs } = this.#ports;
    const { uid, deletionTimestamp, finalizers = [] } = site.metadata;
    const isInCare = finalizers.includes(FINALIZER);
    if (deletionTimestamp === undefined) {
      if (!isInCare && scheduler.nowMs < untilMs && random.chance(IN_CARE))
        await this.#write(leader, site, [...finalizers, FINALIZER]);
      return;
    }
    if (!isInCare) return;
    const doneMs = this.#doneMs.get(uid) ?? scheduler.nowMs + random.integer(0, CLEANS_UP_MS_MAX);
    this.#doneMs.set(uid, doneMs);
    if (scheduler.nowMs < doneMs) return;
    this.#cluster.checks.letGo(uid);
    await this.#write(
      leader,
      site,
      finalizers.filter((each) => each !== FINALIZER),
    );
  }

  /** As a controller in the leader's process would. */
  async #write(
    { process, dom }: RunningDom,
    base: Site,
    finalizers: readonly string[],
  ): Promise<void> {
    const { leadership } = await dom.leading();
    const { store } = this.#cluster;
    const clock = this.#ports.scheduler.clock();
    const writer = new Writer({
      ...{ clock, random: this.#ports.random, fence: () => leadership.fence() },
      doubts: leadership,
      store: { commit: (transaction) => store.commitFrom(process.name, transaction) },
    });
    const next = { ...base, metadata: { ...base.metadata, finalizers } };
    await writer.commit([{ kind: 'replace', base, next }], AUTHOR);
  }
}
