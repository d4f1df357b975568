import type { SeededRandom } from '../engine/random.ts';
import {
  CONTINENT_CODES,
  type FallbackWish,
  type RegionWish,
  type Routing,
  type Wish,
} from './wish.ts';

/** Some way to send requests to the nodes that there are by now. */
export function drawRouting(wish: Wish, random: SeededRandom): Routing {
  const nodes = [...wish.nodes.keys()].toSorted();
  const policy = drawPolicy(nodes, random);
  if (nodes.length === 0) return policy;
  // A fork, by what was drawn: runs from before there were regions stay as they were up to here.
  return { ...policy, ...drawPlaces(nodes, random.fork(`places ${JSON.stringify(policy)}`)) };
}

function drawPolicy(nodes: readonly string[], random: SeededRandom): Routing {
  const answers = random.integer(1, 3);
  const policy = random.pick(['nearest', 'nearest', 'weighted', 'failover'] as const);
  if (nodes.length === 0 || policy === 'nearest') return { policy: 'nearest', answers };
  if (policy === 'failover') {
    const shuffled = nodes
      .map((name) => ({ name, at: random.next() }))
      .toSorted((a, b) => a.at - b.at)
      .map(({ name }) => name);
    return { policy, answers, order: shuffled.slice(0, random.integer(1, nodes.length)) };
  }
  const weights = Object.fromEntries(nodes.map((name) => [name, random.pick([0, 0, 1, 4])]));
  weights[random.pick(nodes)] = 1;
  return { policy, answers, weights };
}

/** Those of clients among them, and one where nobody is. */
const COUNTRIES = ['BT', 'CN', 'DE', 'GB', 'SE', 'US'] as const;
const CONTINENTS = Object.keys(CONTINENT_CODES) as readonly (keyof typeof CONTINENT_CODES)[];

function drawPlaces(
  nodes: readonly string[],
  random: SeededRandom,
): { readonly regions?: readonly RegionWish[]; readonly fallback?: FallbackWish } {
  const some = <Item>(items: readonly Item[]): readonly Item[] => {
    const drawn = items.filter(() => random.chance(0.4));
    return drawn.length > 0 ? drawn : [random.pick(items)];
  };
  const regions: RegionWish[] = [];
  if (random.chance(0.6)) regions.push({ continents: some(CONTINENTS), nodes: some(nodes) });
  if (random.chance(0.6)) regions.push({ countries: some(COUNTRIES), nodes: some(nodes) });
  if (random.chance(0.3)) regions.push({ nodes: some(nodes) });
  const location = { latitude: 180 * random.next() - 90, longitude: 360 * random.next() - 180 };
  const fallback = {
    ...(random.chance(0.7) ? { location } : { nodes: some(nodes) }),
    ...(random.chance(0.3) ? { nodes: some(nodes) } : {}),
  };
  return {
    ...(regions.length > 0 ? { regions } : {}),
    ...(random.chance(0.5) ? { fallback } : {}),
  };
}
