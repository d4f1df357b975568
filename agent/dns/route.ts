import type { GeoName } from '../../proto/gen/b8s/v1/plan.ts';
import { distanceKm, type Place } from './geography.ts';
import { rotationOrder } from './rotation.ts';
import type { DirectoryNode, HealthMap } from './snapshot.ts';

/** What keeps a candidate out, worst first; `up`: nothing does. */
export type CandidateState =
  | 'not-in-directory'
  | 'not-an-edge'
  | 'no-address'
  | 'not-ready'
  | 'unreachable'
  | 'unschedulable'
  | 'up';

export interface Candidate {
  readonly name: string;
  /** Of the family that was asked for. */
  readonly addresses: readonly Uint8Array[];
  readonly state: CandidateState;
  /** Undefined: the client's place or the node's is unknown. */
  readonly distanceKm: number | undefined;
  readonly chosen: boolean;
}

export interface Routing {
  /** In the order of the answer; empty only if no candidate has such an address. */
  readonly chosen: readonly Candidate[];
  /** Every name of the geo name's list: the ranked ones in order, then the impossible ones. */
  readonly candidates: readonly Candidate[];
  /** Whom the answer was drawn from: `all` is the last known good answer (INV-21). */
  readonly pool: 'up' | 'unschedulable' | 'all';
  readonly order: 'nearest' | 'rotation' | 'failover';
}

export interface RouteInput {
  readonly geoName: GeoName;
  readonly nodes: ReadonlyMap<string, DirectoryNode>;
  readonly health: HealthMap;
  readonly family: 'A' | 'AAAA';
  /** Whose place decides: 4 or 16 bytes. */
  readonly client: Uint8Array;
  /** Undefined: unknown. */
  readonly location: Place | undefined;
}

/** More than half of the equator: behind every node whose place is known. */
const FARTHEST_KM = 30_000;

type Ranked = Omit<Candidate, 'chosen'>;

/**
 * Decides which nodes an answer names. Pure, and the same for every nameserver that sees the same.
 *
 * A node that is down or cordoned is left out as long as another is not (INV-20). If all that
 * remain are cordoned they serve; if all look down, all are answered as if they were up, for then
 * it is likelier that our own view is broken, and an empty answer would take the site down for
 * everyone (INV-21).
 */
export function routeGeoName(input: RouteInput): Routing {
  const { candidates: names, weights } = input.geoName;
  const all = names.map((name, i) => ({ ...candidateOf(name, input), weight: weights[i] ?? 1 }));
  const eligible = all.filter(({ state }) => !isImpossible(state));
  const { pool, members } = poolOf(eligible);
  const order = orderOf(input, members);
  const ranked = rank(members, order, input.client);
  const count = Math.max(1, input.geoName.answersMax);
  const chosen = ranked.slice(0, count).map((candidate) => ({ ...candidate, chosen: true }));
  const rest = [...ranked.slice(count), ...all.filter((one) => !members.includes(one))];
  const candidates = [...chosen, ...rest.map((candidate) => ({ ...candidate, chosen: false }))];
  return { chosen, candidates, pool, order };
}

function candidateOf(name: string, { nodes, health, family, location }: RouteInput): Ranked {
  const node = nodes.get(name);
  if (node === undefined) {
    return { name, addresses: [], state: 'not-in-directory', distanceKm: undefined };
  }
  const addresses = family === 'A' ? node.ipv4 : node.ipv6;
  const placed = location !== undefined && node.place !== undefined;
  return {
    name,
    addresses,
    state: stateOf(node, addresses, health),
    distanceKm: placed ? distanceKm(location, node.place) : undefined,
  };
}

function stateOf(
  node: DirectoryNode,
  addresses: readonly Uint8Array[],
  health: HealthMap,
): CandidateState {
  if (!node.edge) return 'not-an-edge';
  if (addresses.length === 0) return 'no-address';
  if (!node.ready) return 'not-ready';
  if (health.get(node.name) === false) return 'unreachable';
  return node.unschedulable ? 'unschedulable' : 'up';
}

/** No pool takes it in, not even the last resort: there is nothing to answer. */
export function isImpossible(state: CandidateState): boolean {
  return state === 'not-in-directory' || state === 'not-an-edge' || state === 'no-address';
}

function poolOf(eligible: readonly Ranked[]): {
  readonly pool: Routing['pool'];
  readonly members: readonly Ranked[];
} {
  for (const pool of ['up', 'unschedulable'] as const) {
    const members = eligible.filter(({ state }) => state === pool);
    if (members.length > 0) return { pool, members };
  }
  return { pool: eligible.length === 0 ? 'up' : 'all', members: eligible };
}

function orderOf({ geoName }: RouteInput, members: readonly Ranked[]): Routing['order'] {
  if (geoName.policy === 'failover') return 'failover';
  const placed = members.some((candidate) => candidate.distanceKm !== undefined);
  return geoName.policy === 'nearest' && placed ? 'nearest' : 'rotation';
}

function rank(
  members: readonly Ranked[],
  order: Routing['order'],
  client: Uint8Array,
): readonly Ranked[] {
  switch (order) {
    case 'failover':
      // The list is in order of preference.
      return members;
    case 'rotation':
      return rotationOrder(members, client);
    case 'nearest':
      // Nodes of unknown place come last.
      return members.toSorted(
        (a, b) => (a.distanceKm ?? FARTHEST_KM) - (b.distanceKm ?? FARTHEST_KM) || byName(a, b),
      );
  }
}

function byName(a: Ranked, b: Ranked): number {
  return a.name < b.name ? -1 : 1;
}
