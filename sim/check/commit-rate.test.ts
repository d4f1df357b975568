import { expect, test } from 'vitest';
import { COMMITS_MAX, commitRateCheck, PERIOD_MS } from './commit-rate.ts';
import { watched } from './dns.fixture.ts';

test.each([
  { when: 'just as many as may be', count: COMMITS_MAX, everyMs: 1, found: 0 },
  { when: 'one more', count: COMMITS_MAX + 1, everyMs: 1, found: 1 },
  { when: 'many, in a long time', count: 4 * COMMITS_MAX, everyMs: PERIOD_MS / 1_000, found: 0 },
])('commits follow one another: $when', ({ count, everyMs, found }) => {
  const it = watched(commitRateCheck);
  const transaction = { guards: [], writes: [{ kind: 'delete', key: '/b8s/sites/a' }] } as const;
  for (let left = count; left > 0; left -= 1) {
    it.nowMs += everyMs;
    it.check.committed?.({ revision: 2n, transaction, before: new Map(), process: 'dom#1' });
  }
  expect(it.found).toHaveLength(found);
});
