import { expect, test } from 'vitest';
import { type RouteNode, rightAnswer, wrongWith } from './route-model.ts';

const PLACES = {
  london: { latitude: 51.51, longitude: -0.13 },
  tokyo: { latitude: 35.68, longitude: 139.69 },
  suva: { latitude: -18.14, longitude: 178.44 },
  nowhere: undefined,
} as const;
type Name = keyof typeof PLACES;
const PARIS = { latitude: 48.86, longitude: 2.35, country: 'FR', continent: 'EU' };
/** East of it is the antimeridian, and Suva right behind that. */
const SAMOA = { latitude: -13.83, longitude: -171.76, country: 'WS', continent: 'OC' };

const ALL_DOWN = { london: 'down', tokyo: 'down', suva: 'down', nowhere: 'down' } as const;

const nearest = { policy: 'nearest', answers: 2 } as const;

test.each([
  { when: 'the nearest first', rule: nearest, client: PARIS, first: ['london', 'tokyo', 'suva'] },
  {
    when: 'across the date line',
    rule: nearest,
    client: SAMOA,
    first: ['suva', 'tokyo', 'london'],
  },
  { when: 'anywhere from nowhere', rule: nearest, client: undefined, first: [] },
  {
    when: 'in the given order',
    rule: { policy: 'failover', answers: 2, order: ['suva', 'london', 'gone'] } as const,
    ...{ client: PARIS, first: ['suva', 'london'] },
  },
])('$when', ({ rule, client, first }) => {
  const right = rightAnswer(rule, nodes({}), client);
  expect(right).toMatchObject({ count: 2, first });
  expect([...right.first, ...right.others].toSorted()).toEqual(Object.keys(PLACES).toSorted());
});

test.each([
  { when: 'not down ones', states: { london: 'down' }, names: ['nowhere', 'suva', 'tokyo'] },
  { when: 'not cordoned ones', states: { london: 'spare' }, names: ['nowhere', 'suva', 'tokyo'] },
  {
    when: 'cordoned ones rather than down ones',
    states: { london: 'spare', tokyo: 'down', suva: 'down', nowhere: 'down' },
    names: ['london'],
  },
  {
    when: 'all when all look down',
    states: { london: 'down', tokyo: 'down', suva: 'down', nowhere: 'down' },
    names: ['london', 'nowhere', 'suva', 'tokyo'],
  },
] as const)('$when', ({ states, names }) => {
  const { first, others } = rightAnswer(nearest, nodes(states), PARIS);
  expect([...first, ...others].toSorted()).toEqual(names);
});

test.each([
  { weights: { london: 1, suva: 3, tokyo: 0 }, names: ['london', 'suva'] },
  { weights: { gone: 1 }, names: ['london', 'nowhere', 'suva', 'tokyo'] },
])('weighted: who has a share, or all if nobody has: $weights', ({ weights, names }) => {
  const right = rightAnswer({ policy: 'weighted', answers: 3, weights }, nodes({}), PARIS);
  expect(right).toEqual({ count: Math.min(3, names.length), first: [], others: right.others });
  expect(right.others.toSorted()).toEqual(names);
});

const regions = [
  { continents: ['EU'], nodes: ['suva', 'london'] },
  { countries: ['FR', 'GB'], nodes: ['tokyo'] },
  { nodes: ['nowhere'] },
];

test.each<{
  readonly when: string;
  readonly client: typeof PARIS | undefined;
  readonly states: Partial<Record<Name, RouteNode['state']>>;
  readonly names: readonly string[];
}>([
  { when: "the country's", client: PARIS, states: {}, names: ['tokyo'] },
  {
    when: "then the continent's",
    client: PARIS,
    states: { tokyo: 'down' },
    names: ['london', 'suva'],
  },
  {
    when: 'then those for everyone else',
    ...{ client: PARIS, states: { tokyo: 'down', suva: 'down', london: 'spare' } },
    names: ['nowhere'],
  },
  { when: 'everyone else', client: SAMOA, states: {}, names: ['nowhere'] },
  {
    when: 'any, for want of others',
    client: SAMOA,
    states: { nowhere: 'down' },
    names: ['london', 'suva', 'tokyo'],
  },
  { when: 'the fallback of an unknown place', client: undefined, states: {}, names: ['suva'] },
  { when: 'all down: the own region', client: PARIS, states: ALL_DOWN, names: ['tokyo'] },
])('regions: $when', ({ client, states, names }) => {
  const rule = { ...nearest, regions, fallback: { nodes: ['suva'] } };
  const { first, others } = rightAnswer(rule, nodes(states), client);
  expect([...first, ...others].toSorted()).toEqual(names);
});

test('a client of unknown place stands where the fallback says', () => {
  const rule = { ...nearest, fallback: { location: SAMOA } };
  expect(rightAnswer(rule, nodes({}), undefined).first).toEqual(['suva', 'tokyo', 'london']);
});

test.each([
  { named: ['a', 'b'], holds: true },
  { named: ['a'], holds: false },
  { named: ['b', 'a'], holds: false },
  { named: ['a', 'b', 'c'], holds: false },
])('ordered: $named', ({ named, holds }) => {
  const wrong = wrongWith({ count: 2, first: ['a', 'b', 'c'], others: ['d'] }, named);
  expect(wrong === undefined).toBe(holds);
});

test.each([
  { named: ['a', 'c'], holds: true },
  { named: ['a', 'b'], holds: true },
  { named: ['a', 'a'], holds: false },
  { named: ['b', 'c'], holds: false },
  { named: ['a', 'x'], holds: false },
])('one first, then any: $named', ({ named, holds }) => {
  const wrong = wrongWith({ count: 2, first: ['a'], others: ['b', 'c'] }, named);
  expect(wrong === undefined).toBe(holds);
});

function nodes(states: Partial<Record<Name, RouteNode['state']>>): readonly RouteNode[] {
  return (['london', 'tokyo', 'suva', 'nowhere'] as const).map((name) => ({
    ...{ name, place: PLACES[name], state: states[name] ?? 'up' },
  }));
}
