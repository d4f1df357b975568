import { expect, test } from 'vitest';
import type { Resource } from '../../../api/object.ts';
import { object } from '../../test-scene.ts';
import { type Change, orderChanges } from './order.ts';

const declared = (kind: string, name: string, spec: object = {}): Change => {
  const namespace = kind === 'Issuer' ? '' : 'default';
  const metadata = { name, ...(namespace !== '' && { namespace }) };
  return {
    key: `${kind}/${namespace}/${name}`,
    object: { apiVersion: 'b8s.dev/v1', kind, metadata, spec },
  };
};
const removed = (kind: string, name: string): Change => ({
  key: `${kind}/default/${name}`,
  object: undefined,
});
const hosts = (...names: readonly string[]): object => ({
  hosts: names.map((name) => `${name}.example.com`),
});
/** What is there now: Sites by name with their hosts. */
const live =
  (sites: Readonly<Record<string, object>>) =>
  (key: string): Resource | undefined => {
    const name = key.split('/')[2] ?? '';
    const spec = sites[name];
    return spec === undefined || !key.startsWith('Site/') ? undefined : object('Site', name, spec);
  };

test.each<{
  readonly when: string;
  readonly sites?: Readonly<Record<string, object>>;
  readonly changes: readonly Change[];
  readonly order: readonly string[];
}>([
  {
    when: 'what others refer to comes first, and then goes by name',
    changes: [
      declared('Site', 'b', hosts('b')),
      declared('Site', 'a', hosts('a')),
      declared('Certificate', 'c'),
      declared('Zone', 'z'),
      declared('Issuer', 'i'),
      declared('Secret', 's'),
    ],
    order: ['s', 'i', 'z', 'c', 'a', 'b'],
  },
  {
    when: 'removals come last, the other way round',
    changes: [removed('Secret', 's'), removed('Site', 'a'), declared('Site', 'b', hosts('b'))],
    order: ['b', 'a', 's'],
  },
  {
    when: 'a Site that gives a host up comes before the one that gets it',
    sites: { b: hosts('x', 'b') },
    changes: [declared('Site', 'a', hosts('x')), declared('Site', 'b', hosts('b'))],
    order: ['b', 'a'],
  },
  {
    when: 'also when it is removed',
    sites: { old: hosts('x') },
    changes: [declared('Site', 'new', hosts('x')), removed('Site', 'old')],
    order: ['old', 'new'],
  },
  {
    when: 'in a chain',
    sites: { a: hosts('x'), b: hosts('y'), c: hosts('z') },
    changes: [
      declared('Site', 'a', hosts('y')),
      declared('Site', 'b', hosts('z')),
      declared('Site', 'c', hosts('free')),
    ],
    order: ['c', 'b', 'a'],
  },
])('orderChanges: $when', ({ sites = {}, changes, order }) => {
  const ordered = orderChanges(changes, live(sites));
  const keys = ordered.kind === 'ordered' ? ordered.changes.map(({ key }) => key) : [];
  expect(keys.map((key) => key.split('/')[2])).toEqual(order);
  // Whatever the order in which they are told.
  expect(orderChanges(changes.toReversed(), live(sites))).toEqual(ordered);
});

test('Sites that swap hosts have no order, and are named', () => {
  const sites = { a: hosts('x'), b: hosts('y') };
  const changes = [declared('Site', 'a', hosts('y')), declared('Site', 'b', hosts('x'))];
  expect(orderChanges(changes, live(sites))).toMatchObject({
    kind: 'circle',
    problem: expect.stringMatching(/^Site\/default\/a: .*two commits/),
  });
});
