import { expect, test } from 'vitest';
import { CONTINENT_OF } from '../../../api/countries.ts';
import type { GeoName } from '../../../proto/gen/b8s/v1/plan.ts';
import { geoName, node } from '../dns.fixture.ts';
import { seededRandom } from '../seeded.fixture.ts';
import { compileDirectory } from './directory.ts';
import { routeGeoName } from './route.ts';

const SEED = 712;
const WORLDS = 400;
const CLIENTS = 50;
const COUNTRIES = [...CONTINENT_OF.keys()];

interface Point {
  readonly place: { readonly latitude: number; readonly longitude: number };
  /** From the centre of the Earth, of length 1. */
  readonly vector: readonly number[];
}

interface Drawn extends Point {
  readonly name: string;
  readonly up: boolean;
  readonly spare: boolean;
}

interface World {
  readonly geo: GeoName;
  readonly nodes: readonly Drawn[];
}

interface Client {
  readonly point: Point | undefined;
  readonly country: string | undefined;
}

test(`${WORLDS * CLIENTS} clients anywhere on Earth, every policy, random health and regions (seed ${SEED}): as by brute force`, () => {
  const draw = drawFrom(seededRandom(SEED));
  const seen = new Map<string, number>();
  for (let count = 0; count < WORLDS; count += 1) {
    const world = drawWorld(draw);
    const directory = compileDirectory(
      world.nodes.map(({ name, place, spare }) =>
        node(name, { ipv4: ['192.0.2.1'], ...place, unschedulable: spare }),
      ),
    );
    const health = new Map(world.nodes.map(({ name, up }) => [name, up]));
    for (let asked = 0; asked < CLIENTS; asked += 1) {
      const client = drawClient(draw);
      const location = client.point && { ...client.point.place, country: client.country };
      const address = Uint8Array.of(draw.below(224), draw.below(256), draw.below(256), 1);
      const routing = routeGeoName({
        ...{ geoName: world.geo, nodes: directory, health, family: 'A' },
        ...{ client: address, location },
      });
      const right = reference(world, client);
      const named = routing.chosen[0]?.name;
      expect(right.any).toContain(named);
      if (right.first !== undefined) expect(named).toBe(right.first);
      const kind = `${routing.order} ${routing.tier.kind}`;
      seen.set(kind, (seen.get(kind) ?? 0) + 1);
    }
  }
  // Each combination was met often, or this would show less than it says.
  const rare = ['nearest', 'rotation', 'failover']
    .flatMap((order) => ['country', 'continent', 'others', 'any'].map((tier) => `${order} ${tier}`))
    .filter((kind) => (seen.get(kind) ?? 0) < 100);
  expect(rare).toEqual([]);
});

/**
 * Another way round: every candidate gets a rank for its health and one for the region that it is
 * in, and the least pair decides who may be named (`any`); the nearest by the angle between vectors
 * is `first`, which is undefined for a rotation and for ties.
 */
function reference(
  { geo, nodes }: World,
  { point, country }: Client,
): { readonly first: string | undefined; readonly any: readonly string[] } {
  const allDown = nodes.every(({ up }) => !up);
  const rankOf = ({ name, up, spare }: Drawn): number => {
    const health = allDown || (up && !spare) ? 0 : up ? 1 : 2;
    const isIn = (is: (region: GeoName['regions'][number]) => boolean): boolean =>
      geo.regions.some((region) => is(region) && region.nodes.includes(name));
    const fits = [
      isIn(({ countries }) => country !== undefined && countries.includes(country)),
      isIn(({ continents }) => continents.includes(CONTINENT_OF.get(country ?? '') ?? '?')),
      point === undefined && geo.fallback?.nodes.includes(name),
      isIn(({ countries, continents }) => countries.length + continents.length === 0),
      true,
    ];
    return 10 * health + fits.indexOf(true);
  };
  const best = Math.min(...nodes.map(rankOf));
  const members = nodes.filter((each) => rankOf(each) === best);
  const any = members.map(({ name }) => name);
  if (geo.policy === 'failover')
    return { first: geo.candidates.find((name) => any.includes(name)), any };
  if (geo.policy === 'weighted' || point === undefined) return { first: undefined, any };
  const dot = ({ vector }: Drawn): number =>
    vector.reduce((sum, x, index) => sum + x * (point.vector[index] ?? 0), 0);
  const [nearest, second] = members.toSorted((a, b) => dot(b) - dot(a));
  const isTie = nearest && second && Math.abs(dot(nearest) - dot(second)) < 1e-9;
  return { first: isTie ? undefined : nearest?.name, any };
}

interface Draw {
  readonly next: () => number;
  readonly below: (count: number) => number;
  readonly some: <Item>(items: readonly Item[], share: number) => readonly Item[];
}

function drawFrom(next: () => number): Draw {
  return {
    next,
    below: (count) => Math.floor(next() * count),
    some: (items, share) => items.filter(() => next() < share),
  };
}

function drawWorld(draw: Draw): World {
  const nodes = Array.from({ length: 1 + draw.below(12) }, (_, index): Drawn => {
    const health = draw.next();
    const name = `n${String(index).padStart(2, '0')}`;
    return { name, up: health < 0.7, spare: health < 0.15, ...drawPoint(draw) };
  });
  const candidates = nodes
    .map(({ name }) => ({ name, at: draw.next() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ name }) => name);
  const continents = draw.some(['EU', 'AS', 'AF', 'NA'], 0.6);
  const regions = draw
    .some(
      [
        { countries: draw.some(COUNTRIES, 0.3), continents: [] },
        ...(continents.length > 0 ? [{ countries: [], continents }] : []),
        { countries: [], continents: [] },
      ],
      0.6,
    )
    .map((region) => ({ ...region, nodes: draw.some(candidates, 0.3) }));
  const policy = ['nearest', 'weighted', 'failover'][draw.below(3)] ?? '';
  const weights = policy === 'weighted' ? candidates.map(() => 1 + draw.below(9)) : [];
  const fallback = draw.below(2) === 0 ? {} : { fallback: { nodes: draw.some(candidates, 0.3) } };
  const geo = geoName('s.example', { policy, candidates, regions, weights, ...fallback });
  return { geo, nodes };
}

function drawClient(draw: Draw): Client {
  const point = draw.next() < 0.9 ? drawPoint(draw) : undefined;
  const isKnown = point !== undefined && draw.next() < 0.8;
  return { point, country: isKnown ? COUNTRIES[draw.below(COUNTRIES.length)] : undefined };
}

/** Uniform on the sphere: swapped coordinates show, which cities at middling latitudes hide. */
function drawPoint({ next }: Draw): Point {
  const z = 2 * next() - 1;
  const turn = 2 * Math.PI * next() - Math.PI;
  const radius = Math.sqrt(1 - z * z);
  return {
    place: { latitude: (Math.asin(z) * 180) / Math.PI, longitude: (turn * 180) / Math.PI },
    vector: [radius * Math.cos(turn), radius * Math.sin(turn), z],
  };
}
