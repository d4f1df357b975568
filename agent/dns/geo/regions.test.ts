import { describe, expect, test } from 'vitest';
import type { GeoName, NodePlan } from '../../../proto/gen/b8s/v1/plan.ts';
import { geoName, node } from '../dns.fixture.ts';
import { compileDirectory } from './directory.ts';
import { scopeBits } from './geo-answer.ts';
import type { Location, Whereabouts } from './geography.ts';
import { tiersFor } from './regions.ts';
import { type RouteInput, type Routing, routeGeoName } from './route.ts';

const NAMES = ['berlin', 'london', 'nyc', 'paris', 'tokyo'];
const PLACES: Readonly<Record<string, readonly [number, number]>> = {
  berlin: [52.5, 13.4],
  london: [51.5, -0.1],
  nyc: [40.7, -74],
  paris: [48.9, 2.4],
  tokyo: [35.7, 139.7],
};
const SITE = geoName('s.example', {
  candidates: NAMES,
  regions: [
    { countries: [], continents: ['EU', 'AF'], nodes: ['london', 'paris'] },
    { countries: ['DE', 'AT'], continents: [], nodes: ['berlin'] },
    { countries: [], continents: [], nodes: ['nyc'] },
  ],
  fallback: { nodes: ['tokyo'] },
});
const MUNICH: Whereabouts = { latitude: 48.1, longitude: 11.6, country: 'DE', continent: 'EU' };
const CAIRO: Whereabouts = { latitude: 30, longitude: 31.2, country: 'EG' };
const LIMA: Whereabouts = { latitude: -12, longitude: -77, country: 'PE', continent: 'SA' };

function world(changes: Readonly<Record<string, Partial<NodePlan>>> = {}): RouteInput['nodes'] {
  return compileDirectory(
    NAMES.map((name, index) => {
      const [latitude, longitude] = PLACES[name] ?? [];
      return node(name, { ipv4: [`192.0.2.${index}`], latitude, longitude, ...changes[name] });
    }),
  );
}

function route(given: Partial<RouteInput>): Routing {
  return routeGeoName({
    ...{ geoName: SITE, nodes: world(), health: new Map(), family: 'A' },
    ...{ client: Uint8Array.of(203, 0, 113, 9), location: MUNICH },
    ...given,
  });
}

const down = (...names: readonly string[]): RouteInput['health'] =>
  new Map(names.map((name) => [name, false]));
const chosen = ({ chosen: named }: Routing): readonly string[] => named.map(({ name }) => name);

describe('who is asked in which order', () => {
  test.each([
    {
      who: 'a country before its continent',
      location: MUNICH,
      kinds: 'country continent others any',
    },
    {
      who: 'a country of which the database has no continent',
      location: CAIRO,
      kinds: 'continent others any',
    },
    { who: 'a country that no region is for', location: LIMA, kinds: 'others any' },
    {
      who: 'a continent alone',
      location: { continent: 'EU' } as const,
      kinds: 'continent others any',
    },
    {
      who: 'a place without a country',
      location: { latitude: 0, longitude: 0 },
      kinds: 'others any',
    },
    { who: 'an unknown place', location: undefined, kinds: 'fallback others any' },
  ])('$who', ({ location, kinds }) => {
    expect(
      tiersFor(SITE, location)
        .map(({ kind }) => kind)
        .join(' '),
    ).toBe(kinds);
  });

  test('without regions there are only all', () => {
    expect(tiersFor({ regions: [] }, MUNICH).map(({ kind }) => kind)).toEqual(['any']);
  });
});

test.each([
  { when: 'all are up', health: down(), answer: ['berlin'], tier: 'country' },
  {
    when: "the country's are down: its continent's",
    health: down('berlin'),
    answer: ['paris'],
    tier: 'continent',
  },
  {
    when: 'those, too: that for everyone else',
    health: down('berlin', 'london', 'paris'),
    answer: ['nyc'],
    tier: 'others',
  },
  {
    when: 'only one of no region is up',
    health: down('berlin', 'london', 'paris', 'nyc'),
    answer: ['tokyo'],
    tier: 'any',
  },
  {
    when: 'all look down: as if all were up (INV-21)',
    health: down(...NAMES),
    answer: ['berlin'],
    tier: 'country',
  },
])('Munich, when $when', ({ health, answer, tier }) => {
  const routing = route({ health });
  expect([chosen(routing), routing.tier.kind]).toEqual([answer, tier]);
});

test('a cordoned region makes way for the next one that is up, and not for one that looks down', () => {
  const nodes = world({ berlin: { unschedulable: true } });
  expect(chosen(route({ nodes }))).toEqual(['paris']);
  const others = down('london', 'paris', 'nyc', 'tokyo');
  expect(chosen(route({ nodes, health: others }))).toEqual(['berlin']);
});

test('IPv6 apart from IPv4: a node without AAAA is no candidate, and its region none for AAAA', () => {
  const nodes = world({ london: { ipv6: ['2001:db8::1'] } });
  expect(chosen(route({ nodes, family: 'AAAA' }))).toEqual(['london']);
  expect(chosen(route({ nodes, family: 'A' }))).toEqual(['berlin']);
});

describe('a client of unknown place', () => {
  const unknown = { location: undefined };
  const fallback = (of: GeoName['fallback']) => ({ ...SITE, regions: [], fallback: of });
  test.each([
    { when: 'its nodes are up', fallback: { nodes: ['tokyo'] }, health: down(), answer: ['tokyo'] },
    {
      when: 'it counts as standing in New York',
      fallback: { nodes: [], latitude: 40, longitude: -74 },
      ...{ health: down(), answer: ['nyc'] },
    },
    {
      when: 'the nearest to that is down',
      fallback: { nodes: [], latitude: 40, longitude: -74 },
      ...{ health: down('nyc'), answer: ['london'] },
    },
    {
      when: 'both are given: the nearest of those',
      fallback: { nodes: ['london', 'tokyo'], latitude: 40, longitude: -74 },
      ...{ health: down(), answer: ['london'] },
    },
    {
      when: 'none of its nodes is up: any',
      fallback: { nodes: ['london'], latitude: 40, longitude: -74 },
      ...{ health: down('london'), answer: ['nyc'] },
    },
  ])('$when', ({ fallback: of, health, answer }) => {
    expect(chosen(route({ ...unknown, health, geoName: fallback(of) }))).toEqual(answer);
  });

  test('a client of known place is not concerned', () => {
    const geo = fallback({ nodes: ['tokyo'], latitude: 40, longitude: -74 });
    expect(chosen(route({ geoName: geo }))).toEqual(['berlin']);
  });

  test('a country without coordinates has its region, measured from the fallback', () => {
    const geo = { ...SITE, fallback: { nodes: [], latitude: 48, longitude: 2 } };
    expect(chosen(route({ geoName: geo, location: { country: 'FR' } }))).toEqual(['paris']);
    expect(route({ geoName: SITE, location: { country: 'FR' } }).order).toBe('rotation');
  });
});

describe('within a region the policy counts', () => {
  const wide = [{ countries: ['DE'], continents: [], nodes: ['london', 'paris', 'tokyo'] }];
  test('failover: in the order of the list', () => {
    const candidates = ['nyc', 'tokyo', 'paris', 'london', 'berlin'];
    const geo = { ...SITE, candidates, regions: wide, policy: 'failover', answersMax: 2 };
    expect(chosen(route({ geoName: geo }))).toEqual(['tokyo', 'paris']);
    expect(chosen(route({ geoName: geo, health: down('tokyo') }))).toEqual(['paris', 'london']);
  });

  test('weighted: by the shares of its nodes', () => {
    const geo = { ...SITE, regions: wide, policy: 'weighted', weights: [9, 3, 9, 1, 9] };
    // Of those, london has 3, paris 1, tokyo 9.
    const firsts = Array.from({ length: 3000 }, (_, index) => {
      return chosen(route({ geoName: geo, client: Uint8Array.of(9, index >> 8, index, 0) }))[0];
    });
    const share = (name: string) => firsts.filter((first) => first === name).length / 3000;
    expect(NAMES.map((name) => Math.round(share(name) * 13))).toEqual([0, 3, 0, 1, 9]);
  });
});

describe('how many bits an answer holds for (RFC 7871 §7.2.1)', () => {
  const located: Location = { ...MUNICH, prefixBits: 14, source: 'test' };
  const plain = { ...SITE, regions: [], fallback: undefined };
  const failover = { ...plain, policy: 'failover' };
  const weighted = { ...plain, policy: 'weighted', weights: [1, 1, 1, 1, 1] };
  test.each([
    { when: 'the nearest', geo: plain, bits: 14 },
    { when: 'failover: everyone alike', geo: failover, bits: 0 },
    { when: 'failover within regions', geo: { ...failover, regions: SITE.regions }, bits: 14 },
    { when: 'weighted: by the address alone', geo: weighted, bits: 24 },
    { when: 'one node for the region', geo: { ...weighted, regions: SITE.regions }, bits: 14 },
    { when: 'one node in all', geo: plain, health: down(...NAMES.slice(1)), bits: 0 },
    { when: 'an unknown place', geo: plain, location: undefined, bits: 32 },
    {
      when: 'an unknown place, but it does not matter',
      geo: weighted,
      location: undefined,
      bits: 24,
    },
    { when: 'a resolver that says little', geo: weighted, knownBits: 16, bits: 16 },
  ])('$when', ({ geo, bits, health = new Map(), knownBits = 32, ...rest }) => {
    const location = 'location' in rest ? rest.location : located;
    const address = Uint8Array.of(203, 0, 113, 9);
    const routing = route({ geoName: geo, health, client: address, location });
    expect(scopeBits({ routing, location, ttlS: 30 }, { address, knownBits })).toBe(bits);
  });
});
