import { describe, expect, test } from 'vitest';
import { formatViolation, parseManifests } from './manifest.ts';
import { isChosenNode, type NodeChoice } from './routing.ts';
import { validateObject } from './validate.ts';

/** Everything that is wrong with a Site that is routed like that, as a person reads it. */
function complaints(routing: string): readonly string[] {
  const head = 'apiVersion: b8s.dev/v1\nkind: Site\nmetadata: { name: blog }\nspec:\n';
  const text = `${head}  hosts: [blog.example.com]\n  routing:\n${indent(routing)}`;
  return parseManifests(text, 'site.yaml').flatMap((document) => {
    if (document.kind === 'error') return [document.message];
    const validation = validateObject(document.raw);
    if (validation.kind === 'valid') return [];
    return validation.violations.map((violation) => formatViolation(violation, document));
  });
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n');
}

test.each([
  { when: 'nothing is said', routing: '{}' },
  { when: 'a country has nodes', routing: 'regions: [{ countries: [DE, AT], nodes: [berlin] }]' },
  {
    when: 'continents have labels, and everyone else a node',
    routing:
      'regions:\n- { continents: [north-america], labels: { area: us } }\n- { nodes: [london] }',
  },
  {
    when: 'a country and its continent differ',
    routing: `policy: failover\norder: [a, b]\nregions:\n- { continents: [europe], nodes: [a] }\n- { countries: [GB], nodes: [b] }`,
  },
  {
    when: 'the unknown stand in Paris',
    routing: 'fallback: { location: { latitude: 48.9, longitude: 2.4 } }',
  },
  { when: 'the unknown have nodes', routing: 'fallback: { nodes: [london] }' },
  { when: 'a node exists nowhere: perhaps it is about to', routing: 'fallback: { nodes: [mars] }' },
])('accepted when $when', ({ routing }) => {
  expect(complaints(routing)).toEqual([]);
});

test.each([
  {
    when: 'a country is no country',
    routing: 'regions: [{ countries: [DE, UK], nodes: [a] }]',
    says: 'spec.routing.regions[0].countries[1] "UK": is no country of ISO 3166-1; the United Kingdom is GB (site.yaml:7)',
  },
  {
    when: 'a country is in small letters',
    routing: 'regions: [{ countries: [de], nodes: [a] }]',
    says: 'spec.routing.regions[0].countries[0] "de": must be in capitals: DE (site.yaml:7)',
  },
  {
    when: 'a continent is misspelt',
    routing: 'regions: [{ continents: [eurpoe], nodes: [a] }]',
    says: 'spec.routing.regions[0].continents[0] "eurpoe": must be one of africa, antarctica, asia, europe, north-america, oceania, south-america; did you mean "europe"? (site.yaml:7)',
  },
  {
    when: 'a region chooses no node',
    routing: 'regions: [{ countries: [DE] }]',
    says: 'spec.routing.regions[0] chooses no node: add nodes: [london] or labels: { area: europe } (site.yaml:7)',
  },
  {
    when: 'labels are empty, which would mean every node',
    routing: 'regions: [{ countries: [DE], labels: {} }]',
    says: 'spec.routing.regions[0] chooses no node: add nodes: [london] or labels: { area: europe } (site.yaml:7)',
  },
  {
    when: 'a node has no name of a node',
    routing: 'regions: [{ nodes: [London] }]',
    says: 'spec.routing.regions[0].nodes[0] "London": must be lower-case letters, digits, "-" and ".", with a letter or digit at both ends, e.g. london (site.yaml:7)',
  },
  {
    when: 'a label is none',
    routing: 'regions: [{ labels: { area: "a b" } }]',
    says: 'spec.routing.regions[0].labels.area must be letters, digits, "-", "_" and ".", with a letter or digit at both ends, e.g. front-end (site.yaml:7)',
  },
  {
    when: 'a country is in two regions',
    routing: 'regions:\n- { countries: [DE], nodes: [a] }\n- { countries: [FR, DE], nodes: [b] }',
    says: 'spec.routing.regions[1].countries[1] "DE": is in regions[0] already; keep it in one of them (site.yaml:9)',
  },
  {
    when: 'two regions are for everyone else',
    routing: 'regions:\n- { nodes: [a] }\n- { countries: [DE], nodes: [c] }\n- { nodes: [b] }',
    says: 'spec.routing.regions[2] names neither countries nor continents, as does regions[0]: only one can be for everyone else (site.yaml:10)',
  },
  {
    when: 'the fallback is empty',
    routing: 'fallback: {}',
    says: 'spec.routing.fallback chooses no node: add nodes: [london] or labels: { area: europe } (site.yaml:7)',
  },
  {
    when: 'latitude and longitude are swapped',
    routing: 'fallback: { location: { latitude: 139.7, longitude: 35.7 } }',
    says: 'spec.routing.fallback.location.latitude 139.7: must be from -90 to 90 (site.yaml:7)',
  },
])('refused when $when', ({ routing, says }) => {
  expect(complaints(routing)).toEqual([says]);
});

describe('which nodes a region chooses', () => {
  const london = { name: 'london', labels: { area: 'europe', tier: 'one' } };
  test.each<{ readonly chosen: NodeChoice; readonly is: boolean }>([
    { chosen: { nodes: ['london'] }, is: true },
    { chosen: { nodes: ['tokyo'] }, is: false },
    { chosen: { labels: { area: 'europe' } }, is: true },
    { chosen: { labels: { area: 'europe', tier: 'one' } }, is: true },
    { chosen: { labels: { area: 'europe', tier: 'two' } }, is: false },
    { chosen: { nodes: ['tokyo'], labels: { area: 'europe' } }, is: true },
    { chosen: { labels: {} }, is: false },
    { chosen: { labels: { toString: 'x' } }, is: false },
    { chosen: {}, is: false },
  ])('$chosen', ({ chosen, is }) => {
    expect(isChosenNode(chosen, london)).toBe(is);
  });

  test('a node without labels has none', () => {
    expect(isChosenNode({ labels: { area: 'europe' } }, { name: 'paris' })).toBe(false);
  });
});
