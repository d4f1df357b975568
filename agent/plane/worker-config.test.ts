import { expect, test } from 'vitest';
import { workerCounts } from './worker-config.ts';

test.each([
  { cores: 1, both: 1, alone: 1 },
  { cores: 2, both: 1, alone: 1 },
  { cores: 4, both: 1, alone: 3 },
  { cores: 5, both: 2, alone: 4 },
  { cores: 16, both: 7, alone: 15 },
])('$cores cores: $both workers of each kind, or $alone of one', ({ cores, both, alone }) => {
  const roles = ['edge', 'nameserver'];
  expect(workerCounts({ cores, roles })).toEqual({ edge: both, dns: both });
  expect(workerCounts({ cores, roles: ['edge'] })).toEqual({ edge: alone, dns: 0 });
  expect(workerCounts({ cores, roles: ['nameserver'] })).toEqual({ edge: 0, dns: alone });
  expect(workerCounts({ cores, roles: [] })).toEqual({ edge: 0, dns: 0 });
});
