import type { Cluster } from '../cluster/cluster.ts';
import type { StormPorts } from './storm.ts';

const CUT_OFF_MS_MAX = 20_000;

/** Partitions. Returns what heals those that still last. */
export function stormNet({ network, subs }: Cluster, ports: StormPorts): () => void {
  const { faults, scheduler, random, during } = ports;
  during(faults.cutOffs, () => {
    const { name } = random.pick(subs).host;
    network.cutOff(name);
    scheduler.after(random.integer(1, CUT_OFF_MS_MAX), () => network.join(name));
  });
  return () => {
    for (const { host } of subs) network.join(host.name);
  };
}
