import type { Cluster } from '../cluster/cluster.ts';
import type { StormPorts } from './storm.ts';

/** An election takes some seconds; twice the leader's lease lets another dom take over. */
const OUTAGE_MS_MAX = 12_000;
const CUT_OFF_MS_MAX = 20_000;
/** How many of the newest revisions a compaction leaves. */
const KEPT = [0, 0, 0, 1, 3];
/** Watches that are broken lag behind a compaction, and list anew; the next ones meet them at it. */
const FLURRY_MAX = 6;
const FLURRY_MS_MAX = 3_000;
/** Most happens in the first so many revisions, and little in most seconds. */
const REVISIONS = 200;

/** Compactions, outages, and doms cut off from the store. Returns what ends those that last. */
export function stormStore({ store }: Cluster, ports: StormPorts): () => void {
  const { faults, scheduler, random, during, isOver } = ports;
  const { weather } = store;
  const compact = (): void => {
    if (isOver()) return;
    const revision = store.history.head - BigInt(random.pick(KEPT));
    if (revision <= store.history.compacted) return;
    store.note(`forgets all before ${revision}`);
    void store.compact(revision);
  };
  during(faults.compactions, compact);
  for (let left = faults.compactions; left > 0; left -= 1)
    store.atRevision(BigInt(random.integer(2, REVISIONS)), () => {
      if (isOver()) return;
      store.breakStreams();
      for (let more = random.integer(1, FLURRY_MAX); more > 0; more -= 1)
        scheduler.after(random.integer(0, FLURRY_MS_MAX), compact);
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
  during(faults.leasesEnded, () => {
    const leases = store.leases();
    if (leases.length === 0) return;
    const lease = random.pick(leases);
    store.note(`ends lease ${lease} before its time`);
    void store.revokeLease(lease);
  });
  return () => {
    store.comeUp();
    weather.clear();
  };
}
