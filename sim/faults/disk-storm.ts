import type { Cluster } from '../cluster/cluster.ts';
import type { Host } from '../hosts/host.ts';
import { CALM_DISK } from '../hosts/host-disk.ts';
import type { StormPorts } from './storm.ts';

const FULL_MS_MAX = 20_000;
/** What still fits on a disk that is full. */
const FREE_BYTES_MAX = 4_000;
/** What has rotted is found and fetched again within this time after the faults. */
const REFETCH_MS_MAX = 60_000;
/** Not all disks of a world are bad ones. */
const BAD_DISKS_SHARE = 0.6;

/** Disks that fail, are slow, full, or forget a bit. Returns what makes them whole again. */
export function stormDisks(cluster: Cluster, ports: StormPorts): () => void {
  const { faults, scheduler, random, during } = ports;
  const { doms, subs } = cluster;
  const hosts = [...doms, ...subs].map(({ host }) => host);
  const pickHost = (): Host => (random.chance(0.3) ? random.pick(doms) : random.pick(subs)).host;
  for (const host of hosts)
    if (random.chance(BAD_DISKS_SHARE))
      host.diskWeather = {
        errors: faults.diskErrors,
        delayMsMax: faults.diskDelayMsMax,
        tears: faults.diskTears,
      };
  during(faults.fullDisks, () => {
    const host = pickHost();
    host.fill(random.integer(0, FREE_BYTES_MAX));
    scheduler.after(random.integer(1, FULL_MS_MAX), () => host.empty());
  });
  during(faults.rots, () => pickHost().strike(random));
  return () => {
    for (const host of hosts) {
      host.diskWeather = CALM_DISK;
      host.empty();
    }
    // The control plane has no other copy than the one that somebody made.
    for (const { host } of doms) void host.rot.mend();
    // A node looks through its disk as it starts, and fetches what is not right.
    for (const sub of subs)
      if (sub.host.rot.damaged().length > 0) {
        cluster.crashSub(sub);
        cluster.startSub(sub);
      }
    // From then on it must be whole again, but for those whom dom will not have.
    scheduler.after(REFETCH_MS_MAX, () => {
      for (const { host, running } of subs)
        if (running?.agent.state().session.phase === 'connected') host.rot.forget();
    });
  };
}
