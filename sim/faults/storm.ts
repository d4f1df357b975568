import type { Cluster } from '../cluster/cluster.ts';
import type { SeededRandom } from '../engine/random.ts';
import type { Scheduler } from '../engine/scheduler.ts';
import { CALM, type Faults } from './faults.ts';
import { stormHosts } from './host-storm.ts';
import { stormNet } from './net-storm.ts';
import { stormStore } from './store-storm.ts';

export interface StormPorts {
  readonly faults: Faults;
  readonly scheduler: Scheduler;
  readonly random: SeededRandom;
  /**
   * Lets something happen so many times, or more in a long storm, at times drawn from its whole
   * length. To be called for each kind of fault, always in the same order, also where it is off.
   */
  readonly during: (count: number, action: () => void) => void;
  /** The faults have stopped: nothing may go wrong any more. */
  readonly isOver: () => boolean;
}

/** Faults are counted for a storm of this length; a longer one has more of them. */
const COUNTED_FOR_MS = 120_000;

/** Lets the faults of a run happen, at drawn times within `lengthMs`; then all is well again. */
export function startStorm(
  cluster: Cluster,
  ports: {
    readonly faults: Faults;
    readonly lengthMs: number;
    readonly scheduler: Scheduler;
    readonly random: SeededRandom;
  },
): void {
  const { faults, lengthMs, scheduler, random } = ports;
  const isOver = (): boolean => scheduler.nowMs >= lengthMs;
  const portsOf = (area: string): StormPorts => {
    const own = random.fork(area);
    let kinds = 0;
    const during: StormPorts['during'] = (count, action) => {
      kinds += 1;
      // A stream of its own for each kind: one that is left out changes the times of no other.
      const when = own.fork(`kind ${kinds}`);
      const times = Math.ceil(count * Math.max(1, lengthMs / COUNTED_FOR_MS));
      for (let left = times; left > 0; left -= 1)
        scheduler.after(when.integer(0, lengthMs - 1), action);
    };
    return { faults, scheduler, random: own, during, isOver };
  };
  cluster.faults = faults;
  const ends = [
    stormHosts(cluster, portsOf('hosts')),
    stormNet(cluster, portsOf('net')),
    stormStore(cluster, portsOf('store')),
  ];
  scheduler.after(lengthMs, () => {
    cluster.faults = CALM;
    for (const end of ends) end();
  });
}
