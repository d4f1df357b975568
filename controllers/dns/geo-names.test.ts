import { expect, test } from 'vitest';
import type { Site } from '../../api/site.ts';
import type { Zone } from '../../api/zone.ts';
import { zonesByOrigin } from '../../runtime/dns/zones.ts';
import type { SiteOnNode } from '../../runtime/store/records.ts';
import { digest, object, served, view } from '../test-scene.ts';
import { geoNames } from './geo-names.ts';

const R1 = digest('1');
const R2 = digest('2');
const zone: Zone = object('Zone', 'example', { origin: 'example.com' });

function site(routing: object = {}, release: string | undefined = R1): Site {
  const status = release === undefined ? {} : { release };
  return object('Site', 'blog', { hosts: ['blog.example.com'], routing }, { status });
}

function edge(name: string, report: SiteOnNode | undefined, connected = true) {
  return view(name, { connected, report: { sites: report === undefined ? [] : [report] } });
}

const good = served(site(), R1);
const known = (candidates: readonly string[], siteUid = site().metadata.uid) => ({
  name: 'blog.example.com',
  siteUid,
  ttlS: 30,
  candidates,
  policy: 'nearest' as const,
  answersMax: 1,
  weights: [],
});

test.each([
  {
    when: 'two have verified it',
    nodes: [edge('b', good), edge('a', good)],
    candidates: ['a', 'b'],
  },
  {
    when: 'one is silent: it stays',
    nodes: [edge('a', good), edge('b', good, false)],
    candidates: ['a', 'b'],
  },
  {
    when: 'one holds another release only',
    nodes: [edge('a', good), edge('b', { ...good, verified: [R2] })],
    candidates: ['a'],
  },
  {
    when: 'one has verified it, but answers from nothing yet',
    nodes: [edge('a', good), edge('b', { ...good, serving: '' })],
    candidates: ['a'],
  },
  {
    when: 'one still answers from an older release, having verified this one',
    nodes: [edge('a', { ...good, serving: R2 })],
    candidates: ['a'],
  },
  {
    when: 'one has no certificate',
    nodes: [edge('a', good), edge('b', { ...good, certificate: '' })],
    candidates: ['a'],
  },
  {
    when: 'one speaks of another Site',
    nodes: [edge('a', good), edge('b', { ...good, uid: 'x' })],
    candidates: ['a'],
  },
  {
    when: 'one is no edge',
    nodes: [edge('a', good), view('b', { roles: ['nameserver'], report: { sites: [good] } })],
    candidates: ['a'],
  },
  { when: 'nobody has verified it yet', nodes: [edge('a', undefined)], candidates: [] },
  {
    when: 'all lost it: the last known good answer stays (INV-21)',
    nodes: [edge('a', undefined), edge('b', undefined)],
    previous: ['a', 'gone'],
    candidates: ['a'],
  },
  {
    when: 'the last one that has verified it was removed: one that is behind is better than none',
    nodes: [edge('a', undefined), edge('b', { ...good, serving: R2, verified: [R2] })],
    previous: ['gone'],
    candidates: ['b'],
  },
  {
    when: 'the Site never had a release: an earlier namesake does not count',
    of: site({}, ''),
    nodes: [edge('a', undefined)],
    previous: [],
    candidates: [],
  },
  {
    when: 'nobody answers for the Site yet, and what is known is of its namesake before it',
    nodes: [edge('a', { ...good, serving: '' })],
    previous: ['a'],
    previousUid: 'another',
    candidates: [],
  },
  {
    when: 'all lost it, and one of them is another machine than was named before (INV-16)',
    nodes: [edge('a', undefined), edge('b', undefined)],
    previous: ['a', 'b'],
    nodeUids: { a: 'uid-node-a', b: 'uid-of-the-b-that-was-removed' },
    candidates: ['a'],
  },
  {
    when: 'the only one was removed and joined anew: a namesake that has nothing is no answer',
    nodes: [edge('a', undefined)],
    previous: ['a'],
    nodeUids: { a: 'uid-of-the-a-that-was-removed' },
    candidates: [],
  },
  {
    when: 'the only one was removed and joined anew, and has verified it since',
    nodes: [edge('a', good)],
    previous: ['a'],
    nodeUids: { a: 'uid-of-the-a-that-was-removed' },
    candidates: ['a'],
  },
])('geoNames when $when', (given) => {
  const { nodes, candidates, previous = [], previousUid, nodeUids, of = site() } = given;
  const facts = {
    zone,
    zones: zonesByOrigin([zone]),
    sites: [of],
    nodes,
    previous: { geoNames: [known(previous, previousUid)], ...(nodeUids && { nodeUids }) },
  };
  expect(geoNames(facts).map((name) => name.candidates)).toEqual([candidates]);
});

test.each([
  { when: 'nearest', routing: { policy: 'nearest' }, candidates: ['a', 'b', 'c'], weights: [] },
  {
    when: 'failover: in the order that was declared, then the others',
    routing: { policy: 'failover', order: ['c', 'gone', 'b'] },
    candidates: ['c', 'b', 'a'],
    weights: [],
  },
  {
    when: 'weighted: nodes without a share get none',
    routing: { policy: 'weighted', weights: { c: 1, a: 3, b: 0 } },
    candidates: ['a', 'c'],
    weights: [3, 1],
  },
  {
    when: 'weighted, and no node with a share is there',
    routing: { policy: 'weighted', weights: { gone: 5 } },
    candidates: ['a', 'b', 'c'],
    weights: [1, 1, 1],
  },
])('geoNames with policy $when', ({ routing, candidates, weights }) => {
  const nodes = ['a', 'b', 'c'].map((name) => edge(name, good));
  const sites = [site({ answers: 2, ...routing })];
  const [name] = geoNames({
    zone,
    zones: zonesByOrigin([zone]),
    sites,
    nodes,
    previous: undefined,
  });
  expect(name).toMatchObject({ candidates, weights, answersMax: 2, ttlS: 30 });
});

test('regions and the fallback name candidates only, by name and by label', () => {
  const labelled = (name: string, labels: Readonly<Record<string, string>>) =>
    view(name, { report: { sites: [good] }, labels });
  const nodes = [
    labelled('a', { area: 'europe' }),
    labelled('b', { area: 'asia' }),
    labelled('c', { area: 'europe' }),
    view('empty', { report: { sites: [] }, labels: { area: 'europe' } }),
  ];
  const routing = {
    regions: [
      { countries: ['DE'], labels: { area: 'europe' } },
      { continents: ['asia', 'oceania'], nodes: ['gone', 'b'], labels: { area: 'europe' } },
      { nodes: ['gone'] },
    ],
    fallback: { location: { latitude: 48, longitude: 2 }, nodes: ['c', 'empty'] },
  };
  const facts = {
    zone,
    zones: zonesByOrigin([zone]),
    sites: [site(routing)],
    nodes,
    previous: undefined,
  };
  expect(geoNames(facts)[0]).toMatchObject({
    candidates: ['a', 'b', 'c'],
    regions: [
      { countries: ['DE'], continents: [], nodes: ['a', 'c'] },
      { countries: [], continents: ['AS', 'OC'], nodes: ['a', 'b', 'c'] },
      { countries: [], continents: [], nodes: [] },
    ],
    fallback: { latitude: 48, longitude: 2, nodes: ['c'] },
  });
});

test('without a word on regions the record says none: zones from before stay the same', () => {
  const nodes = [edge('a', good)];
  const facts = { zone, zones: zonesByOrigin([zone]), sites: [site()], nodes, previous: undefined };
  expect(geoNames(facts)).toEqual([known(['a'])]);
});

test('a host belongs to the Zone with the longest origin', () => {
  const inner: Zone = object('Zone', 'inner', { origin: 'eu.example.com' });
  const sites: readonly Site[] = [
    object('Site', 'one', {
      hosts: ['a.eu.example.com', 'a.example.com', 'eu.example.com', 'a.notexample.com'],
    }),
  ];
  const names = (of: Zone) =>
    geoNames({
      zone: of,
      zones: zonesByOrigin([zone, inner]),
      sites,
      nodes: [],
      previous: undefined,
    }).map(({ name }) => name);
  expect(names(zone)).toEqual(['a.example.com']);
  expect(names(inner)).toEqual(['a.eu.example.com', 'eu.example.com']);
});

test('while a release is rolled out, who has it is as good as who has the one before', () => {
  const ahead = [{ release: R2, switchedAt: '2026-03-01T12:00:00.000Z', nodes: ['a'] }];
  const rolled: Site = { ...site(), status: { release: R1, ahead } };
  const only = (release: string): SiteOnNode => ({
    ...good,
    serving: release,
    verified: [release],
  });
  const nodes = [edge('a', only(R2)), edge('b', only(R1)), edge('c', only(digest('3')))];
  const facts = { zone, zones: zonesByOrigin([zone]), nodes, previous: undefined };
  const names = (of: Site) => geoNames({ ...facts, sites: [of] })[0]?.candidates;
  expect(names(rolled)).toEqual(['a', 'b']);
  expect(names(site())).toEqual(['b']);
});

const holding = { ...good, serving: '', certificate: '' };
const proof = (name: string) => ({ kind: 'host', name, token: 't1' }) as const;
const asked = [proof('blog.example.com')];
const having = (name: string, report: SiteOnNode | undefined) =>
  view(name, { report: { sites: report === undefined ? [] : [report], challenges: ['t1'] } });

test.each([
  {
    when: 'two edges hold the release, and one of them has the proof: the CA is told when all have',
    nodes: [having('a', holding), edge('b', holding), edge('c', undefined)],
    standIns: ['a', 'b'],
  },
  {
    when: 'none holds the release: any that has the proof',
    nodes: [edge('a', undefined), having('b', undefined)],
    standIns: ['b'],
  },
  {
    when: 'there is no release yet',
    of: site({}, ''),
    nodes: [having('a', undefined)],
    standIns: ['a'],
  },
  { when: 'none has anything', nodes: [edge('a', undefined)], standIns: [] },
  {
    when: 'one serves the Site: it is no time to stand in',
    nodes: [edge('a', good)],
    serve: ['a'],
  },
  {
    when: 'those that served it lost it: they are better than whoever has the proof (INV-21)',
    nodes: [edge('a', undefined), having('b', undefined)],
    previous: { geoNames: [known(['a'])] },
    serve: ['a'],
  },
  {
    when: 'the CA looks for another name',
    proofs: [proof('shop.example.com')],
    nodes: [having('a', holding)],
    serve: [],
  },
  {
    when: 'the CA has looked: who stood in is no last known good answer',
    proofs: [],
    nodes: [edge('a', holding)],
    previous: { geoNames: [{ ...known(['a']), standIn: 'proof' as const }] },
    serve: [],
  },
])('who stands in while a CA looks for a proof, when $when', (given) => {
  const { nodes, standIns = [], serve = [], proofs = asked, previous, of = site() } = given;
  const facts = { zone, zones: zonesByOrigin([zone]), sites: [of], nodes, previous, proofs };
  const [name] = geoNames(facts);
  const isStandIn = standIns.length > 0;
  expect(name?.candidates).toEqual(isStandIn ? standIns : serve);
  expect(name?.standIn).toBe(isStandIn ? 'proof' : undefined);
});
