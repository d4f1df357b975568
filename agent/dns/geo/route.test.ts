import { describe, expect, test } from 'vitest';
import type { NodePlan } from '../../../proto/gen/b8s/v1/plan.ts';
import { geoName, node } from '../dns.fixture.ts';
import { compileDirectory } from './directory.ts';
import { rotationOrder } from './rotation.ts';
import { type RouteInput, type Routing, routeGeoName } from './route.ts';

const PARIS = { latitude: 48.9, longitude: 2.4 };
const NAMES = ['amsterdam', 'berlin', 'chicago', 'delhi'];
const PLACES = [
  { latitude: 52.4, longitude: 4.9 },
  { latitude: 52.5, longitude: 13.4 },
  { latitude: 41.9, longitude: -87.6 },
  { latitude: 28.6, longitude: 77.2 },
];

function world(changes: Partial<Record<string, Partial<NodePlan>>> = {}): RouteInput['nodes'] {
  return compileDirectory(
    NAMES.map((name, index) =>
      node(name, { ipv4: [`192.0.2.${index}`], ...PLACES[index], ...changes[name] }),
    ),
  );
}

function route(given: Partial<RouteInput>): Routing {
  return routeGeoName({
    geoName: geoName('site.example', { candidates: NAMES, answersMax: 2 }),
    nodes: world(),
    health: new Map(),
    family: 'A',
    client: Uint8Array.of(203, 0, 113, 9),
    location: PARIS,
    ...given,
  });
}

const chosen = (routing: Routing): readonly string[] => routing.chosen.map(({ name }) => name);
const down = (...names: readonly string[]): RouteInput['health'] =>
  new Map(names.map((name) => [name, false]));

test.each([
  { when: 'all are up', nodes: {}, health: down(), nodesChosen: ['amsterdam', 'berlin'] },
  {
    when: 'the nearest is not reached',
    nodes: {},
    health: down('amsterdam'),
    nodesChosen: ['berlin', 'delhi'],
  },
  {
    when: 'the nearest lost its lease',
    nodes: { amsterdam: { ready: false } },
    health: down(),
    nodesChosen: ['berlin', 'delhi'],
  },
  {
    when: 'the nearest is cordoned',
    nodes: { amsterdam: { unschedulable: true } },
    health: down(),
    nodesChosen: ['berlin', 'delhi'],
  },
  {
    when: 'the nearest is no edge',
    nodes: { amsterdam: { roles: ['nameserver'] } },
    health: down(),
    nodesChosen: ['berlin', 'delhi'],
  },
  {
    when: 'the nearest has only an IPv6 address',
    nodes: { amsterdam: { ipv4: [], ipv6: ['::1'] } },
    health: down(),
    nodesChosen: ['berlin', 'delhi'],
  },
  {
    when: 'the nearest has a malformed address',
    nodes: { amsterdam: { ipv4: ['192.0.2'] } },
    health: down(),
    nodesChosen: ['berlin', 'delhi'],
  },
  {
    when: 'the nearest has no known place',
    nodes: { amsterdam: { latitude: undefined } },
    health: down(),
    nodesChosen: ['berlin', 'delhi'],
  },
  {
    when: 'only one is up',
    nodes: {},
    health: down('amsterdam', 'berlin', 'chicago'),
    nodesChosen: ['delhi'],
  },
])('nearest first, and of those that are up, when $when', ({ nodes, health, nodesChosen }) => {
  expect(chosen(route({ nodes: world(nodes), health }))).toEqual(nodesChosen);
});

describe('when none is up', () => {
  test('all that look down are answered as if they were up, nearest first (INV-21)', () => {
    const routing = route({ health: down(...NAMES) });
    expect([routing.pool, chosen(routing)]).toEqual(['all', ['amsterdam', 'berlin']]);
  });

  test('a cordoned one that is alive comes before those that look down', () => {
    const routing = route({
      nodes: world({ chicago: { unschedulable: true } }),
      health: down('amsterdam', 'berlin', 'delhi'),
    });
    expect([routing.pool, chosen(routing)]).toEqual(['unschedulable', ['chicago']]);
  });

  test('what cannot be answered at all is not answered then, either', () => {
    const nodes = world({ amsterdam: { roles: [] }, berlin: { ipv4: [] } });
    expect(chosen(route({ nodes, health: down(...NAMES) }))).toEqual(['delhi', 'chicago']);
  });

  test('candidates that left the directory make an empty answer', () => {
    const routing = route({ nodes: new Map() });
    expect([routing.chosen, routing.candidates.map(({ state }) => state)]).toEqual([
      [],
      NAMES.map(() => 'not-in-directory'),
    ]);
  });
});

describe('the order', () => {
  const policy = (name: string) => ({
    geoName: geoName('s.example', { candidates: NAMES, policy: name, answersMax: 4 }),
  });

  test('failover goes by the list', () => {
    const candidates = NAMES.toReversed();
    const site = geoName('s.example', { candidates, policy: 'failover', answersMax: 1 });
    expect(chosen(route({ geoName: site }))).toEqual(['delhi']);
    expect(chosen(route({ geoName: site, health: down('delhi') }))).toEqual(['chicago']);
  });

  test('equal distances go by name', () => {
    const twins = world({ amsterdam: PLACES[3] ?? {}, delhi: PLACES[0] ?? {} });
    const same = world(Object.fromEntries(NAMES.map((name) => [name, PARIS])));
    expect(chosen(route({ nodes: twins }))[0]).toBe('delhi');
    expect(chosen(route({ nodes: same }))).toEqual(['amsterdam', 'berlin']);
  });

  test('without a place it rotates: one prefix one answer, prefixes evenly', () => {
    const counts = new Map<string, number>();
    for (let index = 0; index < 4000; index += 1) {
      const prefix = [index >> 8, index & 255, 7] as const;
      const first =
        chosen(route({ location: undefined, client: Uint8Array.of(...prefix, 1) }))[0] ?? '';
      const neighbour = chosen(
        route({ location: undefined, client: Uint8Array.of(...prefix, 254) }),
      )[0];
      expect(neighbour).toBe(first);
      counts.set(first, (counts.get(first) ?? 0) + 1);
    }
    expect([...counts.keys()].toSorted()).toEqual(NAMES);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(100);
  });

  test('a node that goes away moves only its own clients', () => {
    for (let index = 0; index < 500; index += 1) {
      const asked = { location: undefined, client: Uint8Array.of(index >> 8, index & 255, 0, 0) };
      const before = chosen(route(asked))[0];
      const after = chosen(route({ ...asked, health: down('berlin') }))[0];
      if (before !== 'berlin') expect(after).toBe(before);
    }
  });

  test('weighted is a rotation until there are weights', () => {
    expect(route(policy('weighted')).order).toBe('rotation');
  });

  test('a known client and no placed node is a rotation, too', () => {
    const nowhere = world(Object.fromEntries(NAMES.map((name) => [name, { latitude: undefined }])));
    expect(route({ nodes: nowhere }).order).toBe('rotation');
  });
});

test('all addresses of the family are answered, and at least one node', () => {
  const nodes = world({ amsterdam: { ipv6: ['2001:db8::1', '2001:db8::2'] } });
  const none = geoName('site.example', { candidates: NAMES, answersMax: 0 });
  const routing = route({ nodes, family: 'AAAA', geoName: none });
  expect(routing.chosen.map(({ addresses }) => addresses.length)).toEqual([2]);
});

test('first places in a rotation spread by weight', () => {
  const items = [{ name: 'a', weight: 1 }, { name: 'b', weight: 3 }, { name: 'c' }];
  const firsts = Array.from({ length: 5000 }, (_, index) => {
    const client = Uint8Array.of(0x20, 1, index >> 8, index & 255, ...new Uint8Array(12));
    return rotationOrder(items, client)[0]?.name;
  });
  const share = (name: string): number => firsts.filter((first) => first === name).length / 1000;
  for (const [name, expected] of [
    ['a', 1],
    ['b', 3],
    ['c', 1],
  ] as const) {
    expect(Math.abs(share(name) - expected)).toBeLessThan(0.15);
  }
});

test('weighted: each node is answered to its share of the clients, and always the same one to each', () => {
  const weighted = geoName('site.example', {
    candidates: ['amsterdam', 'berlin'],
    policy: 'weighted',
    weights: [9, 1],
  });
  const first = (client: Uint8Array): string | undefined =>
    chosen(route({ geoName: weighted, client }))[0];
  const clients = Array.from({ length: 2000 }, (_, i) => Uint8Array.of(203, i >> 8, i & 255, 9));
  const share = clients.filter((client) => first(client) === 'amsterdam').length / clients.length;
  expect(share).toBeGreaterThan(0.87);
  expect(share).toBeLessThan(0.93);
  expect(clients.map(first)).toEqual(clients.map(first));
});
