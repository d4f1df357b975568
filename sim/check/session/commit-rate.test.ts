import { expect, test } from 'vitest';
import { watched } from '../dns/dns.fixture.ts';
import { COMMITS_MAX, COMMITS_PER_NODE_MAX, commitRateCheck, PERIOD_MS } from './commit-rate.ts';

test.each([
  { when: 'just as many as may be', nodes: 3, count: COMMITS_MAX, everyMs: 1, found: 0 },
  { when: 'one more', nodes: 3, count: COMMITS_MAX + 1, everyMs: 1, found: 1 },
  { when: 'many, in a long time', nodes: 3, count: 6_000, everyMs: PERIOD_MS / 1_000, found: 0 },
  {
    when: 'of many nodes',
    nodes: 100,
    count: 100 * COMMITS_PER_NODE_MAX,
    everyMs: 0.1,
    found: 0,
  },
])('commits follow one another: $when', ({ nodes, count, everyMs, found }) => {
  const it = watched((ports) => commitRateCheck(ports, () => nodes));
  const transaction = { guards: [], writes: [{ kind: 'delete', key: '/b8s/sites/a' }] } as const;
  for (let left = count; left > 0; left -= 1) {
    it.nowMs += everyMs;
    it.check.committed?.({ revision: 2n, transaction, before: new Map(), process: 'dom#1' });
  }
  expect(it.found).toHaveLength(found);
});
