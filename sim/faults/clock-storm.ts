import type { Cluster } from '../cluster/cluster.ts';
import type { StormPorts } from './storm.ts';

/** From a leap second's worth to a wrong time zone. */
const JUMPS_MS_MAX = [5_000, 60_000, 15 * 60_000, 60 * 60_000] as const;

/** CAs date certificates back by so much. */
const BACKDATE_MS = 60 * 60_000;

/**
 * Clocks that are off, go at a pace of their own, and are set. They stay as they are after it, but
 * for a dom that is so far behind that no certificate of a CA has begun yet: it says that its clock
 * may be wrong, and people set it. Returns what does so.
 */
export function stormClocks({ doms, subs, ca }: Cluster, ports: StormPorts): () => void {
  const { faults, random, during } = ports;
  const either = (most: number): number => (2 * random.next() - 1) * most;
  for (const { host } of [...doms, ...subs]) {
    host.clock.jump(Math.round(either(faults.skewMsMax)));
    host.clock.setRate(1 + either(faults.driftPpmMax) / 1_000_000);
  }
  during(faults.clockJumps, () => {
    const { host } = random.chance(0.5) ? random.pick(doms) : random.pick(subs);
    host.jump(Math.round(either(random.pick(JUMPS_MS_MAX))));
  });
  return () => {
    for (const { host } of ca === undefined ? [] : doms)
      if (host.clock.offMs < -BACKDATE_MS) host.jump(Math.round(-host.clock.offMs));
  };
}
