import { expect, test } from 'vitest';
import type { Site } from '../../api/site.ts';
import type { Zone } from '../../api/zone.ts';
import { zonesByOrigin } from '../../runtime/dns/zones.ts';
import { digest, object, served, view } from '../test-scene.ts';
import { previewNames } from './preview-names.ts';

const R1 = digest('1');
const WILDCARD = '*.preview.example.com';
const zone: Zone = object('Zone', 'example', { origin: 'example.com' });

function site(name = 'blog', domain = 'preview.example.com', age = 1): Site {
  const metadata = { creationTimestamp: new Date(1e12 - age * 1000).toISOString() };
  const spec = { hosts: [`${name}.example.com`], previews: { domain, keep: 5 } };
  return object('Site', name, spec, { metadata });
}

/** An edge that answers previews of these Sites. */
function edge(name: string, ...sites: readonly Site[]) {
  const report = sites.map((each) => ({ ...served(each, R1), previews: [R1] }));
  return view(name, { report: { sites: report } });
}

const silent = (name: string) => view(name, { report: { sites: [served(site(), R1)] } });

const before = (candidates: readonly string[]) => ({
  geoNames: [
    {
      ...{ name: WILDCARD, siteUid: 'u', ttlS: 30, candidates },
      ...{ policy: 'nearest' as const, answersMax: 1, weights: [] },
    },
  ],
});

test.each([
  {
    when: 'two answer previews, and one serves the site alone',
    nodes: [edge('b', site()), edge('a', site()), silent('c')],
    previous: undefined,
    candidates: ['a', 'b'],
  },
  {
    when: 'each answers those of another site',
    nodes: [edge('b', site('shop')), edge('a', site())],
    previous: undefined,
    candidates: ['a', 'b'],
  },
  {
    when: 'nobody answers any more: those named before',
    nodes: [silent('a'), silent('b')],
    previous: before(['b', 'gone']),
    candidates: ['b'],
  },
  { when: 'nobody ever did', nodes: [silent('a')], previous: undefined, candidates: [] },
])('the wildcard leads to $candidates when $when', ({ nodes, previous, candidates }) => {
  const sites = [site(), site('shop', undefined, 9)];
  const names = previewNames({ ...{ zone, sites, nodes, previous }, zones: zonesByOrigin([zone]) });
  expect(names).toMatchObject([{ name: WILDCARD, siteUid: 'uid-site-shop', candidates }]);
});

test('each domain is in the zone that holds it, and in no other', () => {
  const below: Zone = object('Zone', 'below', { origin: 'preview.example.com' });
  const sites = [site(), site('shop', 'p.example.com'), site('wiki', 'p.example.org')];
  const zones = zonesByOrigin([zone, below]);
  const namesIn = (of: Zone) =>
    previewNames({ ...{ sites, zones, zone: of, nodes: [], previous: undefined } }).map(
      ({ name }) => name,
    );
  expect(namesIn(zone)).toEqual(['*.p.example.com']);
  expect(namesIn(below)).toEqual([WILDCARD]);
});
