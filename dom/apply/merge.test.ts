import { describe, expect, test } from 'vitest';
import type { ManagedFields, Resource } from '../../api/object.ts';
import type { Declaration } from '../../runtime/fields.ts';
import { type ApplyOutcome, type Merged, mergeApplied } from './merge.ts';
import { mergeUpdated } from './update.ts';

const T0 = '2026-01-01T00:00:00Z';
const T1 = '2026-01-02T00:00:00Z';
const SET_BY_DOM = { uid: 'u', resourceVersion: '1', generation: 1, creationTimestamp: T0 };

interface Entry {
  readonly manager: string;
  readonly operation?: 'apply' | 'update';
  readonly fields: readonly string[];
}

function object(spec: unknown, entries: readonly Entry[], labels = {}, annotations = {}): Resource {
  const managedFields: ManagedFields[] = entries.map((entry) => ({
    operation: 'apply',
    time: T0,
    ...entry,
  }));
  return {
    apiVersion: 'b8s.dev/v1',
    kind: 'Site',
    metadata: { name: 'blog', ...SET_BY_DOM, labels, annotations, managedFields },
    spec,
  };
}

function say(spec: unknown, labels: Record<string, string> = {}): Declaration {
  return { spec, labels, annotations: {} };
}

function merged(outcome: ApplyOutcome): Merged {
  if (outcome.kind === 'clash') throw new Error(`clash: ${JSON.stringify(outcome.clashes)}`);
  return outcome;
}

interface Case {
  readonly when: string;
  readonly live: Resource;
  readonly applied: unknown;
  readonly force?: true;
  readonly spec: unknown;
  readonly owners: Record<string, readonly string[]>;
}

/** Every case is an apply by `me`. */
const cases: readonly Case[] = [
  {
    when: 'the same is applied again',
    live: object({ ttl: 5 }, [{ manager: 'me', fields: ['/spec/ttl'] }]),
    applied: { ttl: 5 },
    spec: { ttl: 5 },
    owners: { 'me apply': ['/spec/ttl'] },
  },
  {
    when: 'a field is no longer named',
    live: object({ ttl: 5, hosts: ['a'] }, [
      { manager: 'me', fields: ['/spec/hosts', '/spec/ttl'] },
    ]),
    applied: { hosts: ['a'] },
    spec: { hosts: ['a'] },
    owners: { 'me apply': ['/spec/hosts'] },
  },
  {
    when: 'a field that another manager owns too is no longer named',
    live: object({ ttl: 5 }, [
      { manager: 'me', fields: ['/spec/ttl'] },
      { manager: 'you', fields: ['/spec/ttl'] },
    ]),
    applied: {},
    spec: { ttl: 5 },
    owners: { 'you apply': ['/spec/ttl'] },
  },
  {
    when: 'a default that nobody owns is not named',
    live: object({ ttl: 30, hosts: ['a'] }, [{ manager: 'me', fields: ['/spec/hosts'] }]),
    applied: { hosts: ['b'] },
    spec: { ttl: 30, hosts: ['b'] },
    owners: { 'me apply': ['/spec/hosts'] },
  },
  {
    when: 'another manager set the field to the same: both own it',
    live: object({ ttl: 5 }, [{ manager: 'you', operation: 'update', fields: ['/spec/ttl'] }]),
    applied: { ttl: 5 },
    spec: { ttl: 5 },
    owners: { 'me apply': ['/spec/ttl'], 'you update': ['/spec/ttl'] },
  },
  {
    when: 'another manager set it to something else, and force is given: it moves',
    live: object({ ttl: 5, hosts: ['a'] }, [
      { manager: 'you', fields: ['/spec/hosts', '/spec/ttl'] },
    ]),
    applied: { ttl: 6 },
    force: true,
    spec: { ttl: 6, hosts: ['a'] },
    owners: { 'me apply': ['/spec/ttl'], 'you apply': ['/spec/hosts'] },
  },
  {
    when: 'the same manager changed the field by an update: that is no clash',
    live: object({ ttl: 9 }, [{ manager: 'me', operation: 'update', fields: ['/spec/ttl'] }]),
    applied: { ttl: 5 },
    spec: { ttl: 5 },
    owners: { 'me apply': ['/spec/ttl'] },
  },
  {
    when: 'a list gets another item: the list is one field',
    live: object({ hosts: ['a'] }, [{ manager: 'me', fields: ['/spec/hosts'] }]),
    applied: { hosts: ['a', 'b'] },
    spec: { hosts: ['a', 'b'] },
    owners: { 'me apply': ['/spec/hosts'] },
  },
  {
    when: 'a group loses its last owned field: its defaults go with it',
    live: object({ ca: { lifetime: '90d' }, ttl: 5 }, [
      { manager: 'me', fields: ['/spec/ca', '/spec/ttl'] },
    ]),
    applied: { ttl: 5 },
    spec: { ttl: 5 },
    owners: { 'me apply': ['/spec/ttl'] },
  },
  {
    when: 'an empty group is filled by a default: that is no change of it',
    live: object({ ca: { lifetime: '90d' } }, [{ manager: 'me', fields: ['/spec/ca'] }]),
    applied: { ca: {} },
    spec: { ca: { lifetime: '90d' } },
    owners: { 'me apply': ['/spec/ca'] },
  },
  {
    when: 'an empty group gets a field',
    live: object({ ca: { lifetime: '90d' } }, [{ manager: 'me', fields: ['/spec/ca'] }]),
    applied: { ca: { lifetime: '1d' } },
    spec: { ca: { lifetime: '1d' } },
    owners: { 'me apply': ['/spec/ca/lifetime'] },
  },
  {
    when: 'one manager wants a group, the other a field in it',
    live: object({ ca: {} }, [{ manager: 'you', fields: ['/spec/ca'] }]),
    applied: { ca: { lifetime: '1d' } },
    spec: { ca: { lifetime: '1d' } },
    owners: { 'me apply': ['/spec/ca/lifetime'], 'you apply': ['/spec/ca'] },
  },
  {
    when: 'a name has a slash and a tilde',
    live: object({}, []),
    applied: { weights: { 'a/b~c': 1 } },
    spec: { weights: { 'a/b~c': 1 } },
    owners: { 'me apply': ['/spec/weights/a~1b~0c'] },
  },
];

test.each(cases)('mergeApplied when $when', ({ live, applied, force, spec, owners }) => {
  const input = { live, applied: say(applied), manager: 'me', force: force ?? false, time: T1 };
  const outcome = merged(mergeApplied(input));
  expect(outcome.spec).toEqual(spec);
  const found = outcome.managedFields.map((entry) => [
    `${entry.manager} ${entry.operation}`,
    entry.fields,
  ]);
  expect(Object.fromEntries(found)).toEqual(owners);
});

test.each([
  {
    when: 'another manager applied another value',
    live: object({ ttl: 5 }, [{ manager: 'you', fields: ['/spec/ttl'] }]),
    applied: { ttl: 6 },
    clashes: [{ path: 'spec.ttl', manager: 'you' }],
  },
  {
    when: 'two managers own it',
    live: object({ ttl: 5 }, [
      { manager: 'you', fields: ['/spec/ttl'] },
      { manager: 'edit', operation: 'update', fields: ['/spec/ttl'] },
    ]),
    applied: { ttl: 6 },
    clashes: [
      { path: 'spec.ttl', manager: 'you' },
      { path: 'spec.ttl', manager: 'edit' },
    ],
  },
  {
    when: 'a value would replace a group with fields of another',
    live: object({ a: { b: 1 } }, [{ manager: 'you', fields: ['/spec/a/b'] }]),
    applied: { a: 5 },
    clashes: [{ path: 'spec.a.b', manager: 'you' }],
  },
  {
    when: 'a group would replace a value of another',
    live: object({ a: 5 }, [{ manager: 'you', fields: ['/spec/a'] }]),
    applied: { a: { b: 1 } },
    clashes: [{ path: 'spec.a', manager: 'you' }],
  },
])('mergeApplied clashes when $when', ({ live, applied, clashes }) => {
  const input = { live, applied: say(applied), manager: 'me', force: false, time: T1 };
  expect(mergeApplied(input)).toEqual({ kind: 'clash', clashes });
  expect(merged(mergeApplied({ ...input, force: true })).spec).toEqual(applied);
});

describe('an apply that changes nothing', () => {
  const live = object(
    { ttl: 5 },
    [{ manager: 'me', fields: ['/metadata/labels/a', '/spec/ttl'] }],
    { a: 'b' },
  );

  test('says so, and keeps the old time', () => {
    const applied = say({ ttl: 5 }, { a: 'b' });
    const outcome = merged(mergeApplied({ live, applied, manager: 'me', force: true, time: T1 }));
    expect(outcome.changed).toBe(false);
    expect(outcome.managedFields).toEqual(live.metadata.managedFields);
  });

  test.each([
    { when: 'a label is another', applied: say({ ttl: 5 }, { a: 'c' }) },
    { when: 'a label is gone', applied: say({ ttl: 5 }) },
    { when: 'only the ownership grows', applied: say({ ttl: 5 }, { a: 'b' }), manager: 'you' },
  ])('is a change when $when', ({ applied, manager = 'me' }) => {
    const outcome = merged(mergeApplied({ live, applied, manager, force: true, time: T1 }));
    expect(outcome.changed).toBe(true);
    expect(outcome.managedFields.find((entry) => entry.manager === manager)?.time).toBe(T1);
  });
});

describe('mergeUpdated', () => {
  const live = object({ ttl: 5, hosts: ['a'] }, [
    { manager: 'me', fields: ['/spec/hosts', '/spec/ttl'] },
    { manager: 'you', fields: ['/spec/ttl'] },
  ]);
  const owners = (fields: readonly ManagedFields[]): unknown =>
    Object.fromEntries(
      fields.map((entry) => [`${entry.manager} ${entry.operation}`, entry.fields]),
    );

  test.each([
    {
      when: 'nothing changed',
      spec: { hosts: ['a'], ttl: 5 },
      changed: false,
      owned: { 'me apply': ['/spec/hosts', '/spec/ttl'], 'you apply': ['/spec/ttl'] },
    },
    {
      when: 'a shared field changed: it belongs to the one who changed it alone',
      spec: { hosts: ['a'], ttl: 6 },
      changed: true,
      owned: { 'edit update': ['/spec/ttl'], 'me apply': ['/spec/hosts'] },
    },
    {
      when: 'a field is gone: it belongs to nobody',
      spec: { hosts: ['a'] },
      changed: true,
      owned: { 'me apply': ['/spec/hosts'] },
    },
    {
      when: 'a field is new',
      spec: { hosts: ['a'], ttl: 5, notFoundPage: 'x' },
      changed: true,
      owned: {
        'edit update': ['/spec/notFoundPage'],
        'me apply': ['/spec/hosts', '/spec/ttl'],
        'you apply': ['/spec/ttl'],
      },
    },
  ])('when $when', ({ spec, changed, owned }) => {
    const outcome = mergeUpdated({ live, updated: say(spec), manager: 'edit', time: T1 });
    expect(outcome.changed).toBe(changed);
    expect(outcome.spec).toEqual(spec);
    expect(owners(outcome.managedFields)).toEqual(owned);
  });

  test('a creation belongs to its maker', () => {
    const outcome = mergeUpdated({
      updated: say({ ttl: 5 }, { a: 'b' }),
      manager: 'dom',
      time: T1,
    });
    expect(owners(outcome.managedFields)).toEqual({
      'dom update': ['/metadata/labels/a', '/spec/ttl'],
    });
  });
});
