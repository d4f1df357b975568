import { expect, test } from 'vitest';
import type { Transaction } from '../../../runtime/store/store.ts';
import type { Check } from '../check.ts';
import { watched } from '../dns/dns.fixture.ts';
import { restCheck } from './rest.ts';

const TRANSACTION: Transaction = { guards: [], writes: [{ kind: 'delete', key: '/b8s/sites/a' }] };
const refused = (check: Check): void =>
  check.stored?.({ kind: 'refused', process: 'dom#2', transaction: TRANSACTION, revision: 7n });
const complains =
  (host: string, message: string) =>
  (check: Check): void =>
    check.logged?.(host, { level: 'warn', message, fields: {} });

test.each<{
  readonly when: string;
  readonly leaders?: readonly string[];
  readonly does: (check: Check) => void;
  readonly found: readonly string[];
}>([
  { when: 'nothing happens', does: () => undefined, found: [] },
  {
    when: 'a write is refused',
    does: refused,
    found: ['INV-2: at rest dom#2 tries to write /b8s/sites/a'],
  },
  {
    when: 'a node has something to complain of',
    does: complains('london', 'a report was not kept'),
    found: ['INV-2: at rest london complains: a report was not kept {}'],
  },
  { when: 'it was removed', does: complains('paris', 'dom refuses this node'), found: [] },
  {
    when: 'it mends what has rotted',
    does: complains('london', 'a blob is damaged and is fetched again'),
    found: [],
  },
  {
    when: 'two doms lead',
    leaders: ['dom-1', 'dom-2'],
    does: () => undefined,
    found: ['INV-2: at rest dom-1 and dom-2 take the lead for theirs'],
  },
])('at rest: $when', async ({ leaders = ['dom-1'], does, found }) => {
  const isSound = (host: string): boolean => host !== 'paris';
  const it = watched((ports) => restCheck({ ...ports, leaders: () => leaders, isSound }));
  // What is so while people are busy is nothing to speak of.
  does(it.check);
  await it.check.settled?.();
  does(it.check);
  await it.check.rested?.();
  expect(it.found).toEqual(found);
});
