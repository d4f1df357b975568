import { expect, test } from 'vitest';
import {
  addressOf,
  appliedZone,
  commitOf,
  exchangeOf,
  nodePlan,
  type Watched,
  watched,
  zoneVersion,
} from './dns.fixture.ts';
import { drainedCheck } from './drained.ts';

function world(nameservers: readonly string[] = ['london']): Watched {
  return watched((ports) =>
    drainedCheck({ ...ports, isNode: (name) => nameservers.includes(name) }),
  );
}

function answers({ check }: Watched, tokyo: { readonly unschedulable: boolean }): void {
  const version = zoneVersion(5);
  check.committed?.(commitOf(version));
  check.applied?.(appliedZone(version, [nodePlan('london'), nodePlan('tokyo', tokyo)]));
  check.asked?.(exchangeOf({}, { answers: [addressOf('tokyo')] }));
}

test('a nameserver that has not heard of it names a drained node', () => {
  const it = world();
  it.check.drained?.('tokyo', 'can be stopped');
  answers(it, { unschedulable: false });
  expect(it.found).toEqual([expect.stringMatching(/^INV-47: london names tokyo for blog/)]);
});

test('one that knows, and sees no other, may', () => {
  const it = world();
  it.check.drained?.('tokyo', 'can be stopped');
  answers(it, { unschedulable: true });
  expect(it.found).toEqual([]);
});

test('nothing is to be said of a node that is in use, or again', () => {
  const it = world();
  answers(it, { unschedulable: false });
  it.check.drained?.('tokyo', 'can be stopped');
  it.check.drained?.('tokyo', 'taken back');
  answers(it, { unschedulable: false });
  expect(it.found).toEqual([]);
});

test('nor by a nameserver that was removed', () => {
  const it = world([]);
  it.check.drained?.('tokyo', 'can be stopped');
  answers(it, { unschedulable: false });
  expect(it.found).toEqual([]);
});
