import type { Cluster } from '../cluster/cluster.ts';
import type { SeededRandom } from '../engine/random.ts';
import type { Scheduler } from '../engine/scheduler.ts';
import { CALM, type Faults } from './faults.ts';

const DOWN_MS_MAX = 15_000;
/** Twice the leader's lease. */
const PAUSE_MS_MAX = 20_000;
const CUT_OFF_MS_MAX = 20_000;
/** A node writes about so often when it gets a new release. */
const WRITES_MAX = 25;

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
  const { network, subs } = cluster;
  const during = (count: number, action: () => void): void => {
    for (let left = count; left > 0; left -= 1)
      scheduler.after(random.integer(0, lengthMs), action);
  };
  const wakes: (() => void)[] = [];
  network.faults = faults;
  const isOver = (): boolean => scheduler.nowMs >= lengthMs;
  during(faults.domCrashes, () => {
    cluster.crashDom();
    scheduler.after(random.integer(0, DOWN_MS_MAX), () => cluster.startDom());
  });
  during(faults.domPauses, () => {
    const wake = cluster.pauseDom();
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
  during(faults.cutOffs, () => {
    const { name } = random.pick(subs).host;
    network.cutOff(name);
    scheduler.after(random.integer(1, CUT_OFF_MS_MAX), () => network.join(name));
  });
  scheduler.after(lengthMs, () => {
    network.faults = CALM;
    for (const { host } of subs) network.join(host.name);
    for (const wake of wakes) wake();
    cluster.startDom();
    for (const sub of subs) cluster.startSub(sub);
  });
}
