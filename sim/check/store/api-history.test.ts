import { expect, test } from 'vitest';
import { watched } from '../dns/dns.fixture.ts';
import { type ApiAction, type ApiOperation, apiHistoryCheck } from './api-history.ts';

const OBJECT = 'Site/default/blog';
const did = (
  kind: ApiAction['kind'],
  spec: object | undefined,
  [calledAt, returnedAt]: readonly [number, number],
): ApiOperation => ({
  ...{ object: OBJECT, user: 'user-1', calledAt, returnedAt },
  action: { kind, spec },
});

test.each<{ when: string; history: readonly ApiOperation[]; found: readonly string[] }>([
  {
    when: 'defaults come with what was written',
    history: [did('write', { ttl: 10 }, [0, 1]), did('read', { ttl: 10, tls: {} }, [2, 3])],
    found: [],
  },
  {
    when: 'it is gone, and another comes under its name',
    history: [
      ...[did('read', undefined, [0, 1]), did('write', { ttl: 10 }, [2, 3])],
      ...[did('write', undefined, [4, 5]), did('read', undefined, [6, 7])],
      ...[did('write', { ttl: 5 }, [8, 9]), did('read', { ttl: 5 }, [10, 11])],
    ],
    found: [],
  },
  {
    when: 'a write without an answer comes later',
    history: [
      ...[did('write', { ttl: 1 }, [0, 1]), did('write', { ttl: 2 }, [2, Infinity])],
      ...[did('read', { ttl: 1 }, [3, 4]), did('read', { ttl: 2 }, [5, 6])],
    ],
    found: [],
  },
  {
    when: 'a reader is shown what was replaced',
    history: [
      ...[did('write', { ttl: 1 }, [0, 1]), did('write', { ttl: 2 }, [2, 3])],
      did('read', { ttl: 1 }, [4, 5]),
    ],
    found: [`INV-9: no order of the calls explains that user-1 reads {"ttl":1} of ${OBJECT}`],
  },
  {
    when: 'what was deleted comes back',
    history: [
      ...[did('write', { ttl: 1 }, [0, 1]), did('write', undefined, [2, 3])],
      ...[did('read', undefined, [4, 5]), did('read', { ttl: 1 }, [6, 7])],
    ],
    found: [`INV-9: no order of the calls explains that user-1 reads {"ttl":1} of ${OBJECT}`],
  },
])('what users see: $when', async ({ history, found }) => {
  const it = watched(apiHistoryCheck);
  for (const operation of history) it.check.operated?.(operation);
  await it.check.settled?.();
  expect(it.found).toEqual(found);
});
