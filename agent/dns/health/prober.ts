import type { NodePlan } from '../../../proto/gen/b8s/v1/plan.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { Probe, ProbeTarget } from '../../../runtime/probe.ts';
import type { Random } from '../../../runtime/random.ts';
import type { HealthMap } from '../geo/directory.ts';
import {
  intervalsBetweenProbes,
  observeProbe,
  PROBE_INTERVAL_MS,
  PROBE_JITTER,
  type ProbeState,
  SUSPECTS_PER_INTERVAL_MAX,
  unprobed,
} from './health.ts';

export interface ProberOptions {
  /** The node that probes: it counts as reachable, for whoever asks it has reached it. */
  readonly self: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly probe: Probe;
  /** The directory as it is now; asked once a round. */
  readonly nodes: () => readonly NodePlan[];
  /** Called with the whole map whenever a verdict or the set of edges changes. */
  readonly onChange: (health: HealthMap) => void;
}

/** One edge, and when it had its turn. */
interface Watched {
  /** Of the Node: another one of its name is another machine, of which nothing is known. */
  readonly uid: string;
  readonly target: ProbeTarget;
  readonly state: ProbeState;
  /** The round of its latest probe; before the first one some earlier round. */
  readonly round: number;
}

/**
 * Probes every other edge of the directory, round after round, until `signal` is aborted; then it
 * resolves. A round has at most 80 probes: with many edges each has its turn in some rounds only. If
 * every edge looks dead that is reported as seen: routing knows what to make of it.
 */
export async function runProber(options: ProberOptions, signal: AbortSignal): Promise<void> {
  const { clock, random } = options;
  let watched: ReadonlyMap<string, Watched> = new Map();
  let published: HealthMap | undefined;
  const facts = rememberedFacts(options.self);
  for (let round = 1; !signal.aborted; round += 1) {
    const startedMs = clock.monotonicMs();
    watched = await probeRound(options, { watched, round, facts }, signal);
    if (signal.aborted) return;
    const health = healthOf(options.self, watched);
    if (published === undefined || !sameHealth(published, health)) options.onChange(health);
    published = health;
    const intervalMs = PROBE_INTERVAL_MS * (1 + PROBE_JITTER * (2 * random.next() - 1));
    const restMs = Math.max(0, startedMs + intervalMs - clock.monotonicMs());
    await clock.sleep(restMs, signal).catch(() => undefined);
  }
}

/** Probes those whose turn it is; edges that left the directory are forgotten. Sorted by name. */
async function probeRound(
  { clock, random, probe, nodes }: ProberOptions,
  {
    watched,
    round,
    facts,
  }: {
    readonly watched: ReadonlyMap<string, Watched>;
    readonly round: number;
    readonly facts: (directory: readonly NodePlan[]) => Facts;
  },
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Watched>> {
  const { targets, nameservers } = facts(nodes());
  const intervals = intervalsBetweenProbes({ edges: targets.length, nameservers });
  // Nameservers that start together do not all begin with the same edges.
  const earlier = (): number => (intervals === 1 ? 0 : round - 1 - intervals * random.next());
  const after = new Map<string, Watched>();
  for (const { uid, target } of targets) {
    const before = watched.get(target.node);
    const known = before?.uid === uid ? before : undefined;
    const { state, round: last } = known ?? { state: unprobed(clock.nowMs()), round: earlier() };
    after.set(target.node, { uid, target, state, round: last });
  }
  const due = dueIn([...after.values()], intervals);
  await Promise.all(
    due.map(async ({ uid, target, state }) => {
      const reachable = await probe.probe(target, signal).catch(() => false);
      const seen = observeProbe(state, { reachable, nowMs: clock.nowMs() });
      after.set(target.node, { uid, target, state: seen, round });
    }),
  );
  return after;
}

/** A share of all, those that waited longest; and those of which the latest probe raised doubt. */
function dueIn(watched: readonly Watched[], intervals: number): readonly Watched[] {
  if (intervals === 1) return watched;
  const byAge = watched.toSorted((a, b) => a.round - b.round);
  const share = Math.ceil(watched.length / intervals);
  const suspects = byAge.slice(share).filter(({ state }) => state.contradictions > 0);
  return [...byAge.slice(0, share), ...suspects.slice(0, SUSPECTS_PER_INTERVAL_MAX)];
}

/** What the directory says of whom to probe. It is the same list until a plan changes it. */
interface Facts {
  readonly targets: readonly Pick<Watched, 'uid' | 'target'>[];
  readonly nameservers: number;
}

function rememberedFacts(self: string): (directory: readonly NodePlan[]) => Facts {
  let known: { readonly directory: readonly NodePlan[]; readonly facts: Facts } | undefined;
  return (directory) => {
    if (known?.directory === directory) return known.facts;
    const nameservers = directory.filter(({ roles }) => roles.includes('nameserver')).length;
    known = { directory, facts: { targets: targetsOf(directory, self), nameservers } };
    return known.facts;
  };
}

function targetsOf(
  nodes: readonly NodePlan[],
  self: string,
): readonly Pick<Watched, 'uid' | 'target'>[] {
  return nodes
    .filter((node) => node.name !== self && node.roles.includes('edge'))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((node) => {
      const address = node.ipv4[0] ?? node.ipv6[0];
      if (address === undefined) return [];
      const target = { node: node.name, address, httpPort: node.httpPort };
      return [{ uid: node.uid, target }];
    });
}

function healthOf(self: string, watched: ReadonlyMap<string, Watched>): HealthMap {
  const health = new Map([...watched].map(([node, { state }]) => [node, state.reachable]));
  return health.set(self, true);
}

function sameHealth(a: HealthMap, b: HealthMap): boolean {
  return a.size === b.size && [...a].every(([node, reachable]) => b.get(node) === reachable);
}
