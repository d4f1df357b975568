import type { Cluster } from '../cluster/cluster.ts';
import type { Host } from '../hosts/host.ts';
import { stormClocks } from './clock-storm.ts';
import { stormDisks } from './disk-storm.ts';
import type { StormPorts } from './storm.ts';

const DOWN_MS_MAX = 15_000;
/** Twice the leader's lease. */
const PAUSE_MS_MAX = 20_000;
/** A node writes about so often when it gets a new release. */
const WRITES_MAX = 25;
/** So many things come to a process in some seconds. */
const EVENTS_MAX = 300;

/** Crashes and pauses, and what befalls clocks and disks. Returns what ends all that still lasts. */
export function stormHosts(cluster: Cluster, ports: StormPorts): () => void {
  const endCrashes = stormProcesses(cluster, ports);
  const endDisks = stormDisks(cluster, ports);
  const endClocks = stormClocks(cluster, ports);
  return () => {
    endClocks();
    endDisks();
    endCrashes();
  };
}

function stormProcesses(cluster: Cluster, ports: StormPorts): () => void {
  const { faults, scheduler, random, during } = ports;
  const { subs, doms } = cluster;
  const wakes: (() => void)[] = [];
  const pause = (host: Host): void => {
    const { wake } = host.pause();
    wakes.push(wake);
    scheduler.after(random.integer(1, PAUSE_MS_MAX), wake);
  };
  during(faults.domCrashes, () => {
    const dom = random.pick(doms);
    crashSoon(dom.host, ports, () => {
      cluster.crashDom(dom);
      scheduler.after(random.integer(0, DOWN_MS_MAX), () => cluster.startDom(dom));
    });
  });
  during(faults.subCrashes, () => {
    const sub = random.pick(subs);
    crashSoon(sub.host, ports, () => {
      cluster.crashSub(sub);
      scheduler.after(random.integer(0, DOWN_MS_MAX), () => cluster.startSub(sub));
    });
  });
  during(faults.domPauses, () => pause(random.pick(doms).host));
  during(faults.subPauses, () => pause(random.pick(subs).host));
  return () => {
    for (const wake of wakes) wake();
    for (const dom of doms) cluster.startDom(dom);
    for (const sub of subs) cluster.startSub(sub);
  };
}

/** At once, at a write, or at any `await`: wherever it may hurt. */
function crashSoon(host: Host, { random, isOver }: StormPorts, crash: () => void): void {
  const crashUnlessOver = (): void => {
    if (!isOver()) crash();
  };
  switch (random.pick(['now', 'at a write', 'at an event'])) {
    case 'now':
      return crash();
    case 'at a write':
      return host.atWrite(random.integer(1, WRITES_MAX), crashUnlessOver);
    default:
      host.process?.atEvent(random.integer(1, EVENTS_MAX), crashUnlessOver);
  }
}
