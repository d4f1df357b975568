import { expect, test } from 'vitest';
import type { Site } from '../../api/site.ts';
import { object, view } from '../test-scene.ts';
import { routingResolved } from './routing.ts';

const EDGES = [view('a', { labels: { area: 'europe' } }), view('b')];

test.each([
  { when: 'nothing is named', routing: {}, says: undefined },
  {
    when: 'all that is named is there',
    routing: {
      ...{ policy: 'failover', order: ['b', 'a'] },
      regions: [{ countries: ['DE'], labels: { area: 'europe' } }],
      fallback: { nodes: ['a'] },
    },
    says: undefined,
  },
  {
    when: 'a share is for nobody',
    routing: { policy: 'weighted', weights: { a: 1, mars: 1 } },
    says: 'no edge is called mars: others answer instead; mend spec.routing, or add the node',
  },
  {
    when: 'regions name nobody, one of them twice',
    routing: {
      policy: 'failover',
      order: ['a', 'venus'],
      regions: [{ nodes: ['mars'] }, { countries: ['DE'], nodes: ['mars', 'b'] }],
      fallback: { labels: { area: 'moon', tier: 'x' } },
    },
    says: 'no edge is called mars, venus; no edge has the labels area=moon,tier=x: others answer instead; mend spec.routing, or add the node',
  },
])('a warning when $when', ({ routing, says }) => {
  const site: Site = object('Site', 'blog', { hosts: ['blog.example.com'], routing });
  expect(routingResolved(site, EDGES)?.message).toBe(says);
});
