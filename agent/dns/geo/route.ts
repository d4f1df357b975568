import type { GeoName } from '../../../proto/gen/b8s/v1/plan.ts';
import type { DirectoryNode, HealthMap } from './directory.ts';
import { distanceKm, type Place, placeOf, type Whereabouts } from './geography.ts';
import { ANY_TIER, type Tier, tiersFor } from './regions.ts';
import { rotationOrder } from './rotation.ts';

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
  /** Undefined: the place that counts for the client is unknown, or the node's. */
  readonly distanceKm: number | undefined;
  /** Its share of clients, in proportion to the others' of the pool; undefined: no shares count. */
  readonly weight: number | undefined;
  readonly chosen: boolean;
}

export interface Routing {
  /** In the order of the answer; empty only if no candidate has such an address. */
  readonly chosen: readonly Candidate[];
  /** Every name of the geo name's list: the ranked ones in order, then the others. */
  readonly candidates: readonly Candidate[];
  /** Whom the answer was drawn from: `all` is the last known good answer (INV-21). */
  readonly pool: 'up' | 'unschedulable' | 'all';
  readonly order: 'nearest' | 'rotation' | 'failover';
  /** Of `tiers`, the one that the answer was drawn from. */
  readonly tier: Tier;
  /** Those that fit the client, the most specific first; `any` is the last. */
  readonly tiers: readonly Tier[];
  /** From where distances are measured; undefined: the client's place is unknown. */
  readonly from: (Place & { readonly kind: 'client' | 'fallback' }) | undefined;
  /** What of the client another answer could have come from. */
  readonly dependsOn: { readonly place: 'yes' | 'no'; readonly address: 'yes' | 'no' };
}

export interface RouteInput {
  readonly geoName: GeoName;
  readonly nodes: ReadonlyMap<string, DirectoryNode>;
  readonly health: HealthMap;
  readonly family: 'A' | 'AAAA';
  /** Whose place decides: 4 or 16 bytes. */
  readonly client: Uint8Array;
  /** Undefined: unknown. */
  readonly location: Whereabouts | undefined;
}

/** More than half of the equator: behind every node whose place is known. */
const FARTHEST_KM = 30_000;

type Ranked = Omit<Candidate, 'chosen'>;

/**
 * Decides which nodes an answer names. Pure, and the same for every nameserver that sees the same.
 *
 * Health comes first: a node that is down or cordoned is left out as long as another is not
 * (INV-20). If all that remain are cordoned they serve; if all look down, all are answered as if
 * they were up, for then it is likelier that our own view is broken, and an empty answer would take
 * the site down for everyone (INV-21). Of those that are left, the first tier with a node serves;
 * within it the policy orders.
 */
export function routeGeoName(input: RouteInput): Routing {
  const { geoName, client, location } = input;
  const from = vantageOf(input);
  const all = geoName.candidates.map((name, index) => candidateOf(name, index, { input, from }));
  const eligible = all.filter(({ state }) => !isImpossible(state));
  const tiers = tiersFor(geoName, location);
  const { pool, well, tier, members } = poolOf(eligible, tiers);
  const order = orderOf(geoName, members);
  const ranked = rank(members, order, client);
  const count = Math.max(1, geoName.answersMax);
  const chosen = ranked.slice(0, count).map((candidate) => ({ ...candidate, chosen: true }));
  const rest = [...ranked.slice(count), ...all.filter((one) => !members.includes(one))];
  const candidates = [...chosen, ...rest.map((candidate) => ({ ...candidate, chosen: false }))];
  const dependsOn = dependenceOf({ geoName, well, members, order });
  return { chosen, candidates, pool, order, tier, tiers, from, dependsOn };
}

/** A client of unknown place counts as standing where the fallback says. */
function vantageOf({ geoName: { fallback }, location }: RouteInput): Routing['from'] {
  const own = placeOf(location);
  if (own !== undefined) return { ...own, kind: 'client' };
  const place = placeOf(fallback);
  return place === undefined ? undefined : { ...place, kind: 'fallback' };
}

function candidateOf(
  name: string,
  index: number,
  { input, from }: { readonly input: RouteInput; readonly from: Place | undefined },
): Ranked {
  const node = input.nodes.get(name);
  const weight = input.geoName.weights[index];
  if (node === undefined) {
    return { name, addresses: [], state: 'not-in-directory', distanceKm: undefined, weight };
  }
  const addresses = input.family === 'A' ? node.ipv4 : node.ipv6;
  const placed = from !== undefined && node.place !== undefined;
  return {
    name,
    addresses,
    state: stateOf(node, addresses, input.health),
    distanceKm: placed ? distanceKm(from, node.place) : undefined,
    weight,
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

function poolOf(
  eligible: readonly Ranked[],
  tiers: readonly Tier[],
): {
  readonly pool: Routing['pool'];
  /** Whom a client anywhere would be answered from. */
  readonly well: readonly Ranked[];
  readonly tier: Tier;
  readonly members: readonly Ranked[];
} {
  for (const pool of ['up', 'unschedulable', 'all'] as const) {
    const well = pool === 'all' ? eligible : eligible.filter(({ state }) => state === pool);
    for (const tier of tiers) {
      const { nodes } = tier;
      const members = nodes === undefined ? well : well.filter(({ name }) => nodes.includes(name));
      if (members.length > 0) return { pool, well, tier, members };
    }
  }
  return { pool: 'up', well: [], tier: ANY_TIER, members: [] };
}

function orderOf({ policy }: GeoName, members: readonly Ranked[]): Routing['order'] {
  if (policy === 'failover') return 'failover';
  const placed = members.some((candidate) => candidate.distanceKm !== undefined);
  return policy === 'nearest' && placed ? 'nearest' : 'rotation';
}

/**
 * Whether a client elsewhere, or one of another address at the same place, could have got another
 * answer, all else being equal.
 */
function dependenceOf({
  geoName: { regions, fallback, policy },
  well,
  members,
  order,
}: {
  readonly geoName: GeoName;
  readonly well: readonly Ranked[];
  readonly members: readonly Ranked[];
  readonly order: Routing['order'];
}): Routing['dependsOn'] {
  const hasChoice = well.length > 1;
  const narrows = regions.length > 0 || (fallback?.nodes ?? []).length > 0;
  // That nearest came to a rotation, too, is because of where the client is, or is not known to be.
  const place = hasChoice && (narrows || policy === 'nearest');
  const address = order === 'rotation' && members.length > 1;
  return { place: place ? 'yes' : 'no', address: address ? 'yes' : 'no' };
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
