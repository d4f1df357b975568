import type { NodePlan } from '../../proto/gen/b8s/v1/plan.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Probe, ProbeTarget } from '../../runtime/probe.ts';
import type { Random } from '../../runtime/random.ts';
import {
  observeProbe,
  PROBE_INTERVAL_MS,
  PROBE_JITTER,
  type ProbeState,
  unprobed,
} from './health.ts';
import type { HealthMap } from './snapshot.ts';

/** Probes in flight at once. The bound on detection holds while fewer edges than this hang. */
export const PROBES_CONCURRENT_MAX = 256;

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

/**
 * Probes every other edge of the directory, round after round, until `signal` is aborted; then it
 * resolves. If every edge looks dead that is reported as seen: routing knows what to make of it.
 */
export async function runProber(options: ProberOptions, signal: AbortSignal): Promise<void> {
  const { clock, random } = options;
  let states: ReadonlyMap<string, ProbeState> = new Map();
  let published: HealthMap | undefined;
  while (!signal.aborted) {
    const startedMs = clock.monotonicMs();
    states = await probeRound(options, states, signal);
    if (signal.aborted) return;
    const health = healthOf(options.self, states);
    if (published === undefined || !sameHealth(published, health)) options.onChange(health);
    published = health;
    const intervalMs = PROBE_INTERVAL_MS * (1 + PROBE_JITTER * (2 * random.next() - 1));
    const restMs = Math.max(0, startedMs + intervalMs - clock.monotonicMs());
    await clock.sleep(restMs, signal).catch(() => undefined);
  }
}

/** Probes each edge once; edges that left the directory are forgotten. Sorted by node name. */
async function probeRound(
  { self, clock, probe, nodes }: ProberOptions,
  before: ReadonlyMap<string, ProbeState>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, ProbeState>> {
  const targets = targetsOf(nodes(), self);
  const after = new Map<string, ProbeState>();
  for (const { node } of targets) after.set(node, before.get(node) ?? unprobed(clock.nowMs()));
  const queue = targets.values();
  const work = async (): Promise<void> => {
    for (const target of queue) {
      const reachable = await probe.probe(target, signal).catch(() => false);
      const state = after.get(target.node) ?? unprobed(clock.nowMs());
      after.set(target.node, observeProbe(state, { reachable, nowMs: clock.nowMs() }));
    }
  };
  const workers = Math.min(PROBES_CONCURRENT_MAX, targets.length);
  await Promise.all(Array.from({ length: workers }, work));
  return after;
}

function targetsOf(nodes: readonly NodePlan[], self: string): readonly ProbeTarget[] {
  return nodes
    .filter((node) => node.name !== self && node.roles.includes('edge'))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((node) => {
      const address = node.ipv4[0] ?? node.ipv6[0];
      return address === undefined ? [] : [{ node: node.name, address, httpPort: node.httpPort }];
    });
}

function healthOf(self: string, states: ReadonlyMap<string, ProbeState>): HealthMap {
  const health = new Map([...states].map(([node, { reachable }]) => [node, reachable]));
  return health.set(self, true);
}

function sameHealth(a: HealthMap, b: HealthMap): boolean {
  return a.size === b.size && [...a].every(([node, reachable]) => b.get(node) === reachable);
}
