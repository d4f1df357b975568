import type { Cluster } from '../cluster/cluster.ts';

/** Whatever still runs the older version is stopped, and started with the present one. */
export function upgradeAll(cluster: Cluster): void {
  const older = new Set(cluster.versions.finish());
  for (const dom of cluster.doms) {
    if (!older.has(dom.host.name) || dom.running === undefined) continue;
    cluster.crashDom(dom);
    cluster.startDom(dom);
  }
  for (const sub of cluster.subs) {
    if (!older.has(sub.host.name) || sub.running === undefined) continue;
    cluster.crashSub(sub);
    cluster.startSub(sub);
  }
}
