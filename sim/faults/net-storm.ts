import type { Cluster } from '../cluster/cluster.ts';
import type { SeededRandom } from '../engine/random.ts';
import { apart } from '../net/reachability.ts';
import type { StormPorts } from './storm.ts';

const PARTITION_MS_MAX = 20_000;
const REFUSAL_MS_MAX = 15_000;

/** Partitions and refusals. Returns what heals those that still last. */
export function stormNet(cluster: Cluster, ports: StormPorts): () => void {
  const { network, subs } = cluster;
  const { faults, scheduler, during } = ports;
  const heals: (() => void)[] = [];
  // Streams of their own, so that a kind of fault that is left out changes no other.
  const often = (
    kind: string,
    options: { readonly count: number; readonly msMax: number },
    begin: (random: SeededRandom, hosts: Hosts) => (() => void) | undefined,
  ): void => {
    const random = ports.random.fork(kind);
    during(options.count, () => {
      const names = subs.map(({ host }) => host.name);
      const heal = begin(random, { subs: names, doms: network.doms });
      if (heal === undefined) return;
      heals.push(heal);
      scheduler.after(random.integer(1, options.msMax), heal);
    });
  };
  const msMax = PARTITION_MS_MAX;
  often('cut off', { count: faults.cutOffs, msMax }, (random, hosts) => {
    const host = anyHost(random, hosts);
    // The store may be on a network of its own.
    const end = random.chance(0.5) ? awayFromStore(cluster, [host]) : () => undefined;
    return both(network.cut(apart([host], 'all'), `${host} is cut off`), end);
  });
  often('split', { count: faults.splits, msMax }, (random, hosts) => {
    const [here, there] = split(random, [...hosts.doms, ...hosts.subs]);
    const what = `${here.join(', ')} cannot reach ${there.join(', ')}`;
    const end = awayFromStore(cluster, random.pick([here, there, []]));
    return both(network.cut(apart(here, there), what), end);
  });
  often('one way', { count: faults.oneWays, msMax }, (random, hosts) => {
    const host = anyHost(random, hosts);
    const [from, to] = random.chance(0.5) ? [[host], 'all' as const] : ['all' as const, [host]];
    const what = from === 'all' ? `nothing reaches ${host}` : `nobody hears ${host}`;
    return network.cut([{ from, to }], what);
  });
  often('blind spot', { count: faults.blindSpots, msMax }, (random, { subs: names }) => {
    if (names.length < 2) return undefined;
    const blind = random.pick(names);
    const hidden = random.pick(names.filter((name) => name !== blind));
    return network.cut(apart([blind], [hidden]), `${blind} and ${hidden} do not see each other`);
  });
  often('refusal', { count: faults.refusals, msMax: REFUSAL_MS_MAX }, (random, { doms }) =>
    network.refuse(random.pick(doms)),
  );
  return () => {
    for (const heal of heals) heal();
  };
}

interface Hosts {
  readonly subs: readonly string[];
  readonly doms: readonly string[];
}

/** Those of them that are doms lose the store as well. Returns what heals it. */
function awayFromStore({ doms, store }: Cluster, hosts: readonly string[]): () => void {
  const { weather } = store;
  const lost = doms.flatMap(({ host, running }) =>
    hosts.includes(host.name) && running !== undefined ? [running.process.name] : [],
  );
  for (const name of lost) {
    store.note(`cannot be reached by ${name}`);
    weather.cutOff(name);
  }
  return () => {
    for (const name of lost) weather.join(name);
  };
}

function both(one: () => void, other: () => void): () => void {
  return () => {
    one();
    other();
  };
}

/** One in four times a dom. */
function anyHost(random: SeededRandom, { subs, doms }: Hosts): string {
  return subs.length === 0 || random.chance(0.25) ? random.pick(doms) : random.pick(subs);
}

/** Each host on one side or the other. */
function split(
  random: SeededRandom,
  hosts: readonly string[],
): readonly [here: readonly string[], there: readonly string[]] {
  const here = hosts.filter(() => random.chance(0.5));
  return [here, hosts.filter((host) => !here.includes(host))];
}
