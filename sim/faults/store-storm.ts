import type { Cluster } from '../cluster/cluster.ts';
import type { StormPorts } from './storm.ts';

/** An election takes some seconds; twice the leader's lease lets another dom take over. */
const OUTAGE_MS_MAX = 12_000;
const CUT_OFF_MS_MAX = 20_000;
/** How many of the newest revisions a compaction leaves, at most. */
const KEPT_MAX = 3;

/** Compactions, outages, and doms cut off from the store. Returns what ends those that last. */
export function stormStore({ store }: Cluster, ports: StormPorts): () => void {
  const { faults, scheduler, random, during } = ports;
  const { weather } = store;
  during(faults.compactions, () => {
    const revision = store.history.head - BigInt(random.integer(0, KEPT_MAX));
    if (revision <= store.history.compacted) return;
    store.note(`forgets all before ${revision}`);
    void store.compact(revision);
  });
  during(faults.storeOutages, () => {
    store.goDown();
    scheduler.after(random.integer(1, OUTAGE_MS_MAX), () => store.comeUp());
  });
  during(faults.storeCutOffs, () => {
    const clients = store.clients();
    if (clients.length === 0) return;
    const { name } = random.pick(clients);
    store.note(`cannot be reached by ${name}`);
    weather.cutOff(name);
    scheduler.after(random.integer(1, CUT_OFF_MS_MAX), () => weather.join(name));
  });
  return () => {
    store.comeUp();
    weather.clear();
  };
}
