import type { Cluster, DomHost } from '../cluster/cluster.ts';
import type { SeededRandom } from '../engine/random.ts';
import type { Scheduler } from '../engine/scheduler.ts';
import type { Sub } from '../hosts/sub-host.ts';

/** So often somebody changes the version of each machine: there, back, and there again. */
const CHANGES_MAX = 3;

/** While faults happen, each machine is restarted now and then, with the one version or the other. */
export function startUpgrades(
  cluster: Cluster,
  ports: {
    readonly scheduler: Scheduler;
    readonly random: SeededRandom;
    readonly lengthMs: number;
  },
): void {
  if (cluster.versions.count === 'one') return;
  const { scheduler, random, lengthMs } = ports;
  const soonOrLater = (restart: () => void): void => {
    for (let left = random.integer(1, CHANGES_MAX); left > 0; left -= 1)
      scheduler.after(random.integer(0, lengthMs), restart);
  };
  for (const dom of cluster.doms) soonOrLater(() => restartDom(cluster, dom));
  for (const sub of cluster.subs) soonOrLater(() => restartSub(cluster, sub));
}

/** Whatever still runs the older version is stopped, and started with the present one. */
export function upgradeAll(cluster: Cluster): void {
  const older = new Set(cluster.versions.finish());
  for (const dom of cluster.doms) if (older.has(dom.host.name)) restartDom(cluster, dom);
  for (const sub of cluster.subs) if (older.has(sub.host.name)) restartSub(cluster, sub);
}

/** One that is down is started by whoever has stopped it. */
function restartDom(cluster: Cluster, dom: DomHost): void {
  if (dom.running === undefined) return;
  cluster.crashDom(dom);
  cluster.startDom(dom);
}

function restartSub(cluster: Cluster, sub: Sub): void {
  if (sub.running === undefined) return;
  cluster.crashSub(sub);
  cluster.startSub(sub);
}
