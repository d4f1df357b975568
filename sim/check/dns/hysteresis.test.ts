import { expect, test } from 'vitest';
import { watched } from './dns.fixture.ts';
import { hysteresisCheck } from './hysteresis.ts';

const DEAD = { london: true, tokyo: false };

test.each([
  { when: 'after three lost probes', outcomes: ['silent', 'silent', 'silent'], found: 0 },
  { when: 'INV-2: after one', outcomes: ['silent'], found: 1 },
  {
    when: 'INV-2: after an answer',
    outcomes: ['silent', 'silent', 'answered', 'silent'],
    found: 1,
  },
  { when: 'INV-2: without a probe', outcomes: [], found: 1 },
] as const)('a node is taken for dead $when', ({ outcomes, found: count }) => {
  const { check, found } = watched(hysteresisCheck);
  for (const outcome of outcomes) check.probed?.({ nameserver: 'london', node: 'tokyo', outcome });
  check.judged?.('london', DEAD);
  expect(found).toHaveLength(count);
});

test('a verdict that stays is none', () => {
  const { check, found } = watched(hysteresisCheck);
  for (const outcome of ['silent', 'silent', 'silent'] as const)
    check.probed?.({ nameserver: 'london', node: 'tokyo', outcome });
  check.judged?.('london', DEAD);
  check.probed?.({ nameserver: 'london', node: 'tokyo', outcome: 'answered' });
  check.judged?.('london', { ...DEAD, sydney: true });
  expect(found).toEqual([]);
});
