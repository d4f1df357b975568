import { expect, test } from 'vitest';
import { watched } from '../dns/dns.fixture.ts';
import { deltasCheck } from './deltas.ts';

test.each([
  { why: 'plan epoch 1 revision 9 does not add up to its digest', found: 1 },
  { why: 'plan epoch 1 revision 9 builds on epoch 1 revision 7, held is nothing', found: 0 },
])('a node cannot build upon a delta: $why', ({ why, found }) => {
  const it = watched(deltasCheck);
  const message = 'a plan cannot be built upon what is held';
  it.check.logged?.('london', { level: 'warn', message, fields: { why } });
  expect(it.found).toHaveLength(found);
});

test('one that is older than dom does not know all that is in it', () => {
  const it = watched((ports) => deltasCheck(ports, (node) => node === 'london'));
  const [message, why] = ['a plan cannot be built upon what is held', 'it does not add up'];
  it.check.logged?.('london', { level: 'warn', message, fields: { why } });
  expect(it.found).toEqual([]);
  it.check.logged?.('tokyo', { level: 'warn', message, fields: { why } });
  expect(it.found).toHaveLength(1);
});
