import type { Mutant } from '../mutant.ts';

/** Which nodes an answer names, and of which version it is. */
export const ROUTING: readonly Mutant[] = [
  {
    name: 'flat-earth',
    file: 'agent/dns/geo/geography.ts',
    find: `      Math.cos(to.latitude * radians) *
`,
    replace: '',
    story: 'Distances are wrong towards the poles, so that clients are sent to farther nodes.',
    expects: [1, 21],
  },
  {
    name: 'one-answer-whatever-is-asked',
    file: 'agent/dns/geo/route.ts',
    find: 'const count = Math.max(1, geoName.answersMax);',
    replace: 'const count = 1;',
    story: 'An answer names one node, however many the Site asks for.',
    expects: [1, 21],
  },
  {
    name: 'client-subnet-ignored',
    file: 'agent/dns/answer.ts',
    find: 'if (subnet !== undefined && asked !== undefined) {',
    replace: 'if (subnet === undefined && asked !== undefined) {',
    story: 'Clients are sent to what is near their resolver.',
    expects: [21],
  },
  {
    name: 'failover-order-lost',
    file: 'controllers/dns/geo-names.ts',
    find: 'candidates: [...order, ...rest]',
    replace: 'candidates: [...order, ...rest].toSorted()',
    story: 'With policy failover the first node by name is preferred.',
    expects: [1],
  },
  {
    name: 'share-of-zero-counts',
    file: 'controllers/dns/geo-names.ts',
    find: '(weights[node] ?? 0) > 0);',
    replace: '(weights[node] ?? 0) >= 0);',
    story: 'A node without a share gets requests all the same.',
    expects: [1, 21],
  },
  {
    name: 'continent-before-country',
    file: 'agent/dns/geo/regions.ts',
    find: '(own === undefined ? []',
    replace: '(own === undefined || around !== undefined ? []',
    story: 'Clients of a country that has nodes of its own are sent to those of its continent.',
    expects: [1, 21],
  },
  {
    name: 'region-of-everyone',
    file: 'agent/dns/geo/regions.ts',
    find: 'countries.includes(country)',
    replace: 'countries.length > 0',
    story: 'The first region with countries is for clients of every country.',
    expects: [1, 21],
  },
  {
    name: 'old-records-under-a-new-serial',
    file: 'agent/dns/zone/compile-zones.ts',
    find: 'const zone = compileZone(plan, compiled.made);',
    replace: `const fresh = compileZone(plan, compiled.made);
    const zone = { ...fresh, nodes: previous.get(fresh.origin)?.nodes ?? fresh.nodes };`,
    story:
      'A nameserver answers with a new serial and the records of the first version that it had.',
    expects: [21, 22, 23],
  },
];
