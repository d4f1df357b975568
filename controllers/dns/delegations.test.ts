import { expect, test } from 'vitest';
import type { Zone } from '../../api/zone.ts';
import { zonesByOrigin } from '../../runtime/dns/zones.ts';
import { object, view } from '../test-scene.ts';
import { DELEGATIONS_MAX, delegations } from './delegations.ts';
import { recordSets } from './record-sets.ts';

const NODES = [view('a', { ipv4: ['192.0.2.1'], ipv6: ['2001:db8::1'] })];

function zone(origin: string, spec: object = {}): Zone {
  return object('Zone', origin.replaceAll('.', '-'), { origin, ...spec });
}

/** What the first zone holds below its own name servers, and what is said of it. */
function served(zones: readonly [Zone, ...Zone[]], nodes = NODES) {
  const [first] = zones;
  const below = delegations(first, zonesByOrigin(zones), nodes);
  const { records, problems } = recordSets(first, nodes, new Set(), below);
  const own = (name: string): boolean =>
    name === first.spec.origin || name === `a.ns.${first.spec.origin}`;
  const lines = records
    .filter(({ name }) => !own(name))
    .map(({ name, type, ttlS, values }) => `${name} ${type} ${ttlS} ${values.join(' | ')}`);
  return { lines, problems };
}

const PARENT = zone('example.com', { ttl: 60 });

test('a Zone right below another one is delegated there, with glue', () => {
  expect(served([PARENT, zone('deep.sub.example.com')])).toEqual({
    lines: [
      'a.ns.deep.sub.example.com A 60 192.0.2.1',
      'a.ns.deep.sub.example.com AAAA 60 2001:db8::1',
      'deep.sub.example.com NS 60 a.ns.deep.sub.example.com.',
    ],
    problems: [],
  });
});

test('each by the closest Zone above it alone', () => {
  const [sub, deep] = [zone('sub.example.com'), zone('deep.sub.example.com')];
  const others = [zone('example.org'), zone('notexample.com'), zone('com')];
  const named = (zones: [Zone, ...Zone[]]) =>
    delegations(zones[0], zonesByOrigin(zones), NODES).map(({ origin }) => origin);
  expect(named([PARENT, sub, deep, ...others])).toEqual(['sub.example.com']);
  expect(named([sub, PARENT, deep])).toEqual(['deep.sub.example.com']);
  expect(named([deep, PARENT, sub])).toEqual([]);
});

test.each<{
  when: string;
  parent?: object;
  child?: object;
  nodes?: typeof NODES;
  lines: readonly string[];
  problem?: RegExp;
}>([
  {
    when: 'its name servers are somebody else’s',
    child: { nameservers: ['ns.example.net', 'ns1.sub.example.com'] },
    lines: ['sub.example.com NS 60 ns.example.net. | ns1.sub.example.com.'],
  },
  {
    when: 'the addresses of its name servers are declared',
    child: {
      nameservers: ['ns1.sub.example.com'],
      records: [{ name: 'ns1', type: 'AAAA', values: ['2001:DB8::9'] }],
    },
    lines: [
      'ns1.sub.example.com AAAA 60 2001:db8::9',
      'sub.example.com NS 60 ns1.sub.example.com.',
    ],
  },
  { when: 'there is no name server', nodes: [], lines: [] },
  {
    when: 'a person has declared the delegation, and a DS with it',
    parent: {
      records: [
        { name: 'sub', type: 'NS', values: ['ns.example.net.'] },
        { name: 'sub', type: 'DS', values: [`1 13 2 ${'ab'.repeat(32)}`] },
      ],
    },
    lines: [
      expect.stringContaining('sub.example.com DS 60 1 13 2'),
      'sub.example.com NS 60 ns.example.net.',
    ],
  },
  {
    when: 'it is an alias here',
    parent: { records: [{ name: 'sub', type: 'CNAME', values: ['x.example.net.'] }] },
    lines: ['sub.example.com CNAME 60 x.example.net.'],
    problem: /^sub.example.com is a Zone of its own, and an alias here: remove the CNAME$/,
  },
])('$when', ({ parent = {}, child = {}, nodes = NODES, lines, problem }) => {
  const zones = [
    zone('example.com', { ttl: 60, ...parent }),
    zone('sub.example.com', child),
  ] as const;
  const outcome = served([...zones], nodes);
  expect(outcome.lines).toEqual(lines);
  if (problem === undefined) expect(outcome.problems).toEqual([]);
  else expect(outcome.problems[0]).toMatch(problem);
});

test('what lies below a delegation that a person declared is not ours to delegate', () => {
  const records = [{ name: 'sub', type: 'NS', values: ['ns.example.net.'] }];
  const parent = zone('example.com', { ttl: 60, records });
  expect(served([parent, zone('deep.sub.example.com')]).lines).toEqual([
    'sub.example.com NS 60 ns.example.net.',
  ]);
});

test('a zone with very many below it stays a zone that fits', () => {
  const children = Array.from({ length: DELEGATIONS_MAX + 2 }, (_, index) =>
    zone(`z${index}.example.com`),
  );
  const { lines, problems } = served([PARENT, ...children]);
  expect(lines).toHaveLength(3 * DELEGATIONS_MAX);
  expect(problems).toEqual([expect.stringContaining('2 of them need NS records here')]);
});
