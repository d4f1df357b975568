import { expect, test } from 'vitest';
import { workerCounts } from './worker-config.ts';

test.each([
  { cores: 1, each: 1 },
  { cores: 2, each: 1 },
  { cores: 4, each: 1 },
  { cores: 5, each: 2 },
  { cores: 16, each: 7 },
])('$cores cores give $each workers of each kind', ({ cores, each }) => {
  const roles = ['edge', 'nameserver'];
  expect(workerCounts({ cores, roles })).toEqual({ edge: each, dns: each });
  expect(workerCounts({ cores, roles: ['edge'] })).toEqual({ edge: each, dns: 0 });
});
