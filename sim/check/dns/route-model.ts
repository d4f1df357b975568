import type { Place, Where } from '../../load/places.ts';

/** A node that a site may be served by. */
export interface RouteNode {
  readonly name: string;
  /** Undefined: nobody said where it stands. */
  readonly place: Place | undefined;
  /** `spare`: it is cordoned. */
  readonly state: 'up' | 'spare' | 'down';
}

/** `spec.routing` of a Site. */
export interface RouteRule {
  readonly policy: 'nearest' | 'weighted' | 'failover';
  readonly answers: number;
  readonly weights?: Readonly<Record<string, number>> | undefined;
  readonly order?: readonly string[] | undefined;
  /** `continents` by two letters. One that says neither is for everyone else. */
  readonly regions?: readonly RegionRule[] | undefined;
  readonly fallback?:
    | { readonly location?: Place | undefined; readonly nodes?: readonly string[] | undefined }
    | undefined;
}

export interface RegionRule {
  readonly countries?: readonly string[] | undefined;
  readonly continents?: readonly string[] | undefined;
  readonly nodes: readonly string[];
}

/** An answer that is right. */
export interface RightAnswer {
  /** How many nodes it names. */
  readonly count: number;
  /** The first ones, in this order… */
  readonly first: readonly string[];
  /** …then any of these, each once. */
  readonly others: readonly string[];
}

/**
 * Which nodes an answer names, after docs/reference/sites.md: a node that is down or cordoned is
 * left out while another is not; if none but cordoned ones are well, those; if all look down, any
 * of all (INV-20, INV-21). Of these, those of the country's region, or else of the continent's, of
 * the one for everyone else, or any. `nearest`: by the great circle, nodes of unknown place last; a
 * client of unknown place gets any, or what the fallback says. `weighted`: any that has a share, and
 * equal ones if none has. `failover`: in their order, then any that the order does not name.
 */
export function rightAnswer(
  rule: RouteRule,
  all: readonly RouteNode[],
  client: Where | undefined,
): RightAnswer {
  const { policy, answers, weights = {}, order = [], fallback } = rule;
  const shared = all.filter(({ name }) => (weights[name] ?? 0) > 0);
  const nodes = policy === 'weighted' && shared.length > 0 ? shared : all;
  const well = [
    nodes.filter(({ state }) => state === 'up'),
    nodes.filter(({ state }) => state === 'spare'),
    nodes,
  ].find(({ length }) => length > 0);
  const pool = narrowed(rule, well ?? [], client);
  const names = pool.map(({ name }) => name);
  const first = firstOf(policy, pool, { client: client ?? fallback?.location, order });
  return {
    count: Math.min(answers, pool.length),
    first,
    others: names.filter((name) => !first.includes(name)),
  };
}

/** Those of the first region that is for the client and has one of them. */
function narrowed(
  { regions = [], fallback }: RouteRule,
  well: readonly RouteNode[],
  client: Where | undefined,
): readonly RouteNode[] {
  const isForAll = ({ countries = [], continents = [] }: RegionRule): boolean =>
    countries.length === 0 && continents.length === 0;
  const turns = [
    ...regions.filter(({ countries }) => client && countries?.includes(client.country)),
    ...regions.filter(({ continents }) => client && continents?.includes(client.continent)),
    ...(client === undefined ? [{ nodes: fallback?.nodes ?? [] }] : []),
    ...regions.filter(isForAll),
  ];
  const members = turns.map((turn) => well.filter(({ name }) => turn.nodes.includes(name)));
  return members.find(({ length }) => length > 0) ?? well;
}

/** What is wrong with an answer that names these, in this order; undefined: nothing. */
export function wrongWith(
  { count, first, others }: RightAnswer,
  named: readonly string[],
): string | undefined {
  const shown = `${named.join(', ') || 'nobody'}`;
  const expected = [first.slice(0, count).join(', '), others.join(' or ')].filter((each) => each);
  const wrong = `${shown} instead of ${count} of: ${expected.join(', then ')}`;
  const rest = named.slice(first.length);
  const isOrdered = named.slice(0, first.length).join() === first.slice(0, count).join();
  const isAmong = rest.every((name) => others.includes(name)) && new Set(rest).size === rest.length;
  return named.length === count && isOrdered && isAmong ? undefined : wrong;
}

function firstOf(
  policy: RouteRule['policy'],
  pool: readonly RouteNode[],
  { client, order }: { readonly client: Place | undefined; readonly order: readonly string[] },
): readonly string[] {
  if (policy === 'failover') return order.filter((name) => pool.some((node) => node.name === name));
  if (policy === 'weighted' || client === undefined) return [];
  return pool
    .flatMap(({ name, place }) => (place === undefined ? [] : [{ name, place }]))
    .map(({ name, place }) => ({ name, angle: angleBetween(client, place) }))
    .toSorted((a, b) => a.angle - b.angle || (a.name < b.name ? -1 : 1))
    .map(({ name }) => name);
}

/** Along the great circle, in radians: between the two as vectors from the centre of the Earth. */
function angleBetween(one: Place, other: Place): number {
  const [a, b] = [vectorOf(one), vectorOf(other)];
  const [x, y, z] = [
    a[1] * b[2] - a[2] * b[1],
    a[2] * b[0] - a[0] * b[2],
    a[0] * b[1] - a[1] * b[0],
  ];
  return Math.atan2(Math.hypot(x, y, z), a[0] * b[0] + a[1] * b[1] + a[2] * b[2]);
}

function vectorOf({ latitude, longitude }: Place): readonly [number, number, number] {
  const [phi, lambda] = [(latitude * Math.PI) / 180, (longitude * Math.PI) / 180];
  return [Math.cos(phi) * Math.cos(lambda), Math.cos(phi) * Math.sin(lambda), Math.sin(phi)];
}
