import type { Cluster } from '../cluster/cluster.ts';
import type { StormPorts } from './storm.ts';

const DOWN_MS_MAX = 15_000;
/** Twice the leader's lease. */
const PAUSE_MS_MAX = 20_000;
/** A node writes about so often when it gets a new release. */
const WRITES_MAX = 25;

/** Crashes and pauses. Returns what ends those that still last. */
export function stormHosts(cluster: Cluster, ports: StormPorts): () => void {
  const { faults, scheduler, random, during, isOver } = ports;
  const { subs, doms } = cluster;
  const wakes: (() => void)[] = [];
  during(faults.domCrashes, () => {
    const dom = random.pick(doms);
    cluster.crashDom(dom);
    scheduler.after(random.integer(0, DOWN_MS_MAX), () => cluster.startDom(dom));
  });
  during(faults.domPauses, () => {
    const wake = cluster.pauseDom(random.pick(doms));
    wakes.push(wake);
    scheduler.after(random.integer(1, PAUSE_MS_MAX), wake);
  });
  during(faults.subCrashes, () => {
    const sub = random.pick(subs);
    const crash = (): void => {
      if (isOver()) return;
      cluster.crashSub(sub);
      scheduler.after(random.integer(0, DOWN_MS_MAX), () => cluster.startSub(sub));
    };
    // Half of them at any time, half while something changes.
    if (random.chance(0.5)) crash();
    else sub.host.atWrite(random.integer(1, WRITES_MAX), crash);
  });
  return () => {
    for (const wake of wakes) wake();
    for (const dom of doms) cluster.startDom(dom);
    for (const sub of subs) cluster.startSub(sub);
  };
}
