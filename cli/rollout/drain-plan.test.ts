import { expect, test } from 'vitest';
import type { Site } from '../../api/site.ts';
import type { Zone } from '../../api/zone.ts';
import { DnsCandidate, DnsExplanation } from '../../proto/gen/b8s/v1/agent.ts';
import {
  drainQuestions,
  forgottenInS,
  reasonToWait,
  sitesNamedBefore,
  sitesNaming,
} from './drain-plan.ts';

const zones = [{ metadata: { name: 'z' }, spec: { origin: 'example.com' } }] as unknown as Zone[];

function site(name: string, spec: object, candidates?: readonly string[]): Site {
  const metadata = { name, namespace: 'default' };
  const status = candidates === undefined ? {} : { dns: { candidates } };
  return { kind: 'Site', metadata, spec, status } as unknown as Site;
}

const askedOf = (sites: readonly Site[]) => drainQuestions('fra1', { sites, zones });

test('a host that lies in a Zone is asked for, wherever it stands', () => {
  const hosts = ['www.elsewhere.org', 'blog.example.com'];
  expect(askedOf([site('blog', { hosts }, ['fra1'])])).toEqual([
    { host: 'blog.example.com', of: 'site' },
  ]);
});

test('each set of nodes is asked for once', () => {
  const sites = [
    site('a', { hosts: ['a.example.com'] }, ['fra1', 'ams1']),
    site('b', { hosts: ['b.example.com'] }, ['fra1', 'nyc1']),
    site('c', { hosts: ['c.example.com'] }, ['fra1', 'nyc1']),
    site('d', { hosts: ['d.example.com'] }, ['nyc1']),
  ];
  expect(askedOf(sites).map(({ host }) => host)).toEqual(['a.example.com', 'c.example.com']);
});

test('who was behind may have named it for what is served, or new, under a name of ours', () => {
  const served = { status: { release: 'sha256-1', dns: { candidates: ['nyc1'] } } };
  const empty = { status: { dns: { candidates: [] } } };
  const sites = [
    { ...site('served', { hosts: ['a.example.com'] }), ...served },
    { ...site('elsewhere', { hosts: ['a.elsewhere.org'] }), ...served },
    { ...site('empty', { hosts: ['b.example.com'] }), ...empty },
    site('new', { hosts: ['c.example.com'] }),
    {
      ...site('shown', { hosts: ['b.elsewhere.org'], previews: { domain: 'p.example.com' } }),
      ...served,
    },
  ] as Site[];
  const found = sitesNamedBefore({ nodes: [], sites, zones });
  expect(found.map(({ metadata }) => metadata.name)).toEqual(['served', 'new', 'shown']);
});

test('every host of a Site that dom has not looked at is asked for', () => {
  const hosts = ['www.elsewhere.org', 'blog.example.com', 'www.example.com'];
  expect(askedOf([site('blog', { hosts })])).toEqual([
    { host: 'blog.example.com', of: 'new site' },
    { host: 'www.example.com', of: 'new site' },
  ]);
});

test('previews are asked for by a name that no release has', () => {
  const previews = { domain: 'preview.example.com', keep: 5 };
  const sites = [site('blog', { hosts: ['blog.elsewhere.org'], previews })];
  expect(sitesNaming('fra1', { nodes: [], sites, zones })).toEqual(sites);
  const host = '000000000000--blog.preview.example.com';
  expect(askedOf(sites)).toEqual([{ host, of: 'previews' }]);
  const outside = { domain: 'preview.elsewhere.org', keep: 5 };
  const others = [site('blog', { hosts: ['blog.elsewhere.org'], previews: outside })];
  expect(sitesNaming('fra1', { nodes: [], sites: others, zones })).toEqual([]);
  expect(askedOf(others)).toEqual([]);
});

const question = { host: 'blog.example.com', of: 'site' } as const;
const seen = (health: Readonly<Record<string, string>>) => {
  const candidates = Object.entries(health).map(([node, each]) =>
    DnsCandidate.fromPartial({ node, health: each }),
  );
  return { ...DnsExplanation.fromPartial({}), candidates };
};

test.each([
  { when: 'it is up', health: { fra1: 'up', nyc1: 'up' }, why: 'it has not heard of it yet' },
  { when: 'it is cordoned', health: { fra1: 'unschedulable', nyc1: 'up' }, why: undefined },
  { when: 'it is no candidate', health: { nyc1: 'up' }, why: undefined },
  { when: 'the name is not known', health: {}, why: 'it does not know blog.example.com yet' },
  {
    when: 'others are cordoned, too',
    health: { fra1: 'unschedulable', nyc1: 'unschedulable' },
    why: 'it answers with it all the same: no other is up for blog.example.com',
  },
  {
    when: 'all look down',
    health: { fra1: 'unreachable', nyc1: 'unreachable' },
    why: 'it answers with it all the same: no other is up for blog.example.com',
  },
])('whether a nameserver is waited for when $when', ({ health, why }) => {
  expect(reasonToWait('fra1', question, seen(health))).toBe(why);
});

test.each(['previews', 'new site'] as const)(
  'that a nameserver has no name of a %s yet is nothing to wait for',
  (of) => {
    expect(reasonToWait('fra1', { ...question, of }, seen({}))).toBeUndefined();
  },
);

test('each Zone is asked for that has a version, first of all', () => {
  const known = { metadata: { name: 'y' }, spec: { origin: 'example.org' }, status: { serial: 7 } };
  const all = [...zones, known as unknown as Zone];
  const sites = [site('blog', { hosts: ['blog.example.com'] }, ['fra1'])];
  expect(drainQuestions('fra1', { sites, zones: all })).toEqual([
    { host: 'example.org', of: 'zone', name: 'y', serial: 7 },
    { host: 'blog.example.com', of: 'site' },
  ]);
});

test.each([
  { when: 'it has this version', zone: 'z', serial: 7, why: undefined },
  { when: 'it has a newer one', zone: 'z', serial: 8, why: undefined },
  {
    when: 'it has an older one',
    zone: 'z',
    serial: 6,
    why: 'its example.com is of before',
  },
  { when: 'it has none', zone: '', serial: 0, why: 'it does not know example.com yet' },
  { when: 'it knows a parent', zone: 'com', serial: 9, why: 'it does not know example.com yet' },
])('whether a nameserver is waited for when of a Zone $when', ({ zone, serial, why }) => {
  const asked = { host: 'example.com', of: 'zone', name: 'z', serial: 7 } as const;
  expect(reasonToWait('fra1', asked, DnsExplanation.fromPartial({ zone, serial }))).toBe(why);
});

const SECOND = 1000;
test.each([
  { when: 'it never changed', past: [], left: 60 },
  { when: 'it was longer until a moment ago', past: [{ ttl: 3_600, endedS: 10 }], left: 3_590 },
  { when: 'that was long ago', past: [{ ttl: 3_600, endedS: 4_000 }], left: 60 },
  { when: 'it was shorter', past: [{ ttl: 5, endedS: 1 }], left: 60 },
  { when: 'our clock is behind', past: [{ ttl: 300, endedS: -500 }], left: 300 },
])('how long resolvers keep an answer when $when', ({ past, left }) => {
  const nowMs = 10_000 * SECOND;
  let timeMs = 0;
  const history = past.map(({ ttl, endedS }) => {
    const entry = { timeMs, spec: { ttl } };
    timeMs = nowMs - endedS * SECOND;
    return entry;
  });
  const all = [...history, { timeMs, spec: { ttl: 60 } }];
  expect(forgottenInS(site('blog', { ttl: 60 }), all, nowMs)).toBe(left);
});
