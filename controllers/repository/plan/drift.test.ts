import { expect, test } from 'vitest';
import type { DeclaredObject } from '../../../runtime/api-client.ts';
import { object } from '../../test-scene.ts';
import { type Declaration, driftOf, driftText } from './drift.ts';

const KEY = 'Site/default/blog';
const MANAGER = 'repository/default/infra';
const HOSTS = { hosts: ['blog.example.com'] };

const declared = (spec: object, metadata: object = {}): DeclaredObject => ({
  apiVersion: 'b8s.dev/v1',
  kind: 'Site',
  metadata: { name: 'blog', namespace: 'default', ...metadata },
  spec: { ...HOSTS, ...spec },
});
const blog = (of: DeclaredObject): Declaration => ({ key: KEY, declared: of, manager: MANAGER });
const live = (spec: object, metadata: object = {}) =>
  object('Site', 'blog', { ...HOSTS, ...spec }, { metadata });

test.each<{
  readonly when: string;
  readonly spec: object;
  readonly now: object;
  readonly metadata?: object;
  readonly nowMetadata?: object;
  readonly fields: readonly string[];
}>([
  { when: 'all is as declared', spec: { ttl: 60 }, now: { ttl: 60 }, fields: [] },
  { when: 'a field differs', spec: { ttl: 60 }, now: { ttl: 30 }, fields: ['spec.ttl'] },
  { when: 'somebody set what was not declared', spec: {}, now: { ttl: 300 }, fields: [] },
  { when: 'a default was filled in', spec: {}, now: {}, fields: [] },
  { when: 'an empty group has its defaults', spec: { tls: {} }, now: {}, fields: [] },
  {
    when: 'the items of a list have theirs',
    spec: { redirects: [{ from: '/a', to: '/b' }] },
    now: { redirects: [{ from: '/a', to: '/b' }] },
    fields: [],
  },
  {
    when: 'an item of a list differs, so does the list',
    spec: { redirects: [{ from: '/a', to: '/b' }] },
    now: { redirects: [{ from: '/a', to: '/b', status: 301 }] },
    fields: ['spec.redirects'],
  },
  {
    when: 'several differ, by name',
    spec: { ttl: 60, notFoundPage: 'x.html', singlePageApp: true },
    now: {},
    fields: ['spec.notFoundPage', 'spec.singlePageApp', 'spec.ttl'],
  },
  {
    when: 'a label is gone, and another one came',
    spec: {},
    now: {},
    metadata: { labels: { 'example.com/team': 'web' } },
    nowMetadata: { labels: { other: 'x' } },
    fields: ['metadata.labels["example.com/team"]'],
  },
])('driftOf when $when', ({ spec, now, metadata, nowMetadata, fields }) => {
  const drift = driftOf(blog(declared(spec, metadata)), live(now, nowMetadata));
  expect(drift.map(({ field }) => field)).toEqual(fields);
});

test.each([
  { who: 'somebody', others: [], by: 'b8sctl at 2026-01-02' },
  {
    who: 'somebody and another Repository',
    others: ['repository/default/other'],
    by: 'repository/default/other at 2026-01-04',
  },
])('it says that $who set the field, and when; not what another manager set', ({ others, by }) => {
  const managedFields = [
    { manager: 'ci', operation: 'apply', time: '2026-01-01T00:00:00Z', fields: ['/spec/hosts'] },
    { manager: 'b8sctl', operation: 'update', time: '2026-01-02T00:00:00Z', fields: ['/spec/ttl'] },
    {
      ...{ manager: MANAGER, operation: 'apply' },
      ...{ time: '2026-01-03T00:00:00Z', fields: ['/spec/ttl'] },
    },
    ...others.map((manager) => ({
      ...{ manager, operation: 'apply', time: '2026-01-04T00:00:00Z', fields: ['/spec/ttl'] },
    })),
  ];
  const [drift] = driftOf(blog(declared({ ttl: 60 })), live({ ttl: 30 }, { managedFields }));
  expect(drift && driftText(drift)).toBe(
    `spec.ttl of Site/default/blog is 30, not 60: set by ${by}T00:00:00Z`,
  );
});

test('an object that is gone is one difference', () => {
  const [drift, ...more] = driftOf(blog(declared({})), undefined);
  expect(more).toEqual([]);
  expect(drift && driftText(drift)).toBe('Site/default/blog is missing');
});

test('values of Secrets are never told', () => {
  const secret = (value: string) => ({ data: { password: value } });
  const kept = { ...declared({}), kind: 'Secret', spec: secret('sealed-one') };
  const [drift] = driftOf(
    { key: 'Secret/default/s', declared: kept, manager: MANAGER },
    object('Secret', 's', secret('sealed-two')),
  );
  expect(drift).toMatchObject({
    field: 'spec.data.password',
    declared: '(sealed)',
    found: '(sealed)',
  });
});
