/** How often each edge is probed, from start to start, give or take the jitter. */
export const PROBE_INTERVAL_MS = 1000;
/** Share of the interval that jitter may add or take, so that nameservers do not march in step. */
export const PROBE_JITTER = 0.1;
/** A probe without an answer after this long has failed. */
export const PROBE_TIMEOUT_MS = 1000;
/** In a row, before an edge counts as down: one lost packet is no outage. */
export const FAILURES_TO_DOWN = 3;
/** In a row, before it counts as up again: a flapping edge stays out. */
export const SUCCESSES_TO_UP = 2;

/**
 * D of the invariants with up to 64 edges and nameservers: an edge that falls silent is out of
 * answers within this. Worst case: it
 * answers a probe and dies, the next three start up to 1.1 s apart and the third waits its whole
 * timeout: 3 × 1100 + 1000 = 4300 ms; the rest is for handing the news to the workers.
 */
export const DOWN_DETECTION_MS_MAX = 5000;

/**
 * Probes that a nameserver sends in an interval, and that an edge gets in one, at most: with more
 * edges or nameservers than that each edge has its turn less often, so that n nameservers and n
 * edges make n × 64 probes a second and never n × n.
 */
export const PROBES_PER_INTERVAL_MAX = 64;
/** Beside those: edges of which the latest probe says otherwise, so that doubt lasts seconds. */
export const SUSPECTS_PER_INTERVAL_MAX = 16;

export interface ProbedCluster {
  readonly edges: number;
  readonly nameservers: number;
}

/** How many intervals lie between two probes of one edge by one nameserver; from 1. */
export function intervalsBetweenProbes({ edges, nameservers }: ProbedCluster): number {
  return Math.max(1, Math.ceil(Math.max(edges, nameservers) / PROBES_PER_INTERVAL_MAX));
}

/**
 * D of the invariants for a cluster of any size, as long as no more than 16 edges fall silent at
 * once: the first probe that fails may be a whole turn away, the others follow at once. In larger
 * clusters the lease at dom tells sooner.
 */
export function downDetectionMsMax(cluster: ProbedCluster): number {
  const more = intervalsBetweenProbes(cluster) - 1;
  return DOWN_DETECTION_MS_MAX + more * PROBE_INTERVAL_MS * (1 + PROBE_JITTER);
}

/** What a nameserver thinks of one edge. */
export interface ProbeState {
  readonly reachable: boolean;
  /** Latest probes in a row that contradict `reachable`. */
  readonly contradictions: number;
  /** When `reachable` last changed, or the first probe. */
  readonly sinceMs: number;
}

/** An edge that was never probed is presumed up: a new nameserver must not empty the answers. */
export function unprobed(nowMs: number): ProbeState {
  return { reachable: true, contradictions: 0, sinceMs: nowMs };
}

/** Takes one probe's outcome in, with hysteresis. */
export function observeProbe(
  state: ProbeState,
  { reachable, nowMs }: { readonly reachable: boolean; readonly nowMs: number },
): ProbeState {
  if (reachable === state.reachable) return { ...state, contradictions: 0 };
  const contradictions = state.contradictions + 1;
  const enough = contradictions >= (reachable ? SUCCESSES_TO_UP : FAILURES_TO_DOWN);
  return enough ? { reachable, contradictions: 0, sinceMs: nowMs } : { ...state, contradictions };
}
