import { expect, test } from 'vitest';
import type { Resource } from '../../../api/object.ts';
import type { DeclaredObject } from '../../../runtime/api-client.ts';
import { secretContext } from '../../../runtime/secret/secrets.ts';
import type { Sealer } from '../../../runtime/tls/authority.ts';
import { object } from '../../test-scene.ts';
import { Comparisons } from './comparisons.ts';

const sealer: Sealer = {
  seal: (secret, context) => `${context}|${secret}`,
  open(sealed, context) {
    if (sealed.startsWith(`${context}|`)) return sealed.slice(context.length + 1);
    throw new Error('another key');
  },
};
const comparisons = (): Comparisons => new Comparisons(sealer);
const declared = (spec: object, metadata: object = {}): DeclaredObject =>
  ({
    apiVersion: 'b8s.dev/v1',
    kind: 'Issuer',
    metadata: { name: 'i', ...metadata },
    spec,
  }) as DeclaredObject;
const secret = (data: object): DeclaredObject =>
  ({
    ...{ apiVersion: 'b8s.dev/v1', kind: 'Secret' },
    ...{ metadata: { name: 's', namespace: 'default' }, spec: { data } },
  }) as DeclaredObject;
const sealed = (value: string): string =>
  sealer.seal(value, secretContext({ namespace: 'default', name: 's', key: 'k' }));

test.each<{ when: string; one: DeclaredObject; other: DeclaredObject; same: boolean }>([
  { when: 'they are alike', one: declared({ a: 1 }), other: declared({ a: 1 }), same: true },
  {
    when: 'fields are in another order',
    one: declared({ a: 1, b: 2 }),
    other: declared({ b: 2, a: 1 }),
    same: true,
  },
  {
    when: 'one is undefined',
    one: declared({ a: 1, b: undefined }),
    other: declared({ a: 1 }),
    same: true,
  },
  { when: 'a field differs', one: declared({ a: 1 }), other: declared({ a: 2 }), same: false },
  {
    when: 'a label differs',
    one: declared({}, { labels: { a: 'b' } }),
    other: declared({}),
    same: false,
  },
  {
    when: 'a secret is the same, sealed',
    one: secret({ k: sealed('v') }),
    other: secret({ k: 'v' }),
    same: true,
  },
  {
    when: 'a secret is another one',
    one: secret({ k: sealed('v') }),
    other: secret({ k: 'w' }),
    same: false,
  },
  { when: 'its key is lost', one: secret({ k: 'gone|v' }), other: secret({ k: 'v' }), same: false },
])('two declarations when $when', ({ one, other, same }) => {
  const all = comparisons();
  expect(all.same(one, other)).toBe(same);
  expect(all.same(one, other)).toBe(same);
});

test('another declaration is compared anew, though the kept one is the same', () => {
  const all = comparisons();
  const kept = declared({ a: 1 });
  const [good, bad] = [declared({ a: 1 }), declared({ a: 2 })];
  expect([good, bad, good].map((each) => all.same(kept, each))).toEqual([true, false, true]);
});

test('what differs is found anew for another object, and for another declaration of it', () => {
  const all = comparisons();
  const wanted = declared({ ca: { lifetime: '30d' } });
  const live = (lifetime: string): Resource => object('Issuer', 'i', { ca: { lifetime } });
  const [good, bad] = [live('30d'), live('31d')];
  const fields = (one: DeclaredObject, other: Resource | undefined): readonly unknown[] =>
    all
      .drift({ key: 'Issuer//i', declared: one, manager: 'm' }, other)
      .map(({ field, found }) => field ?? found);
  expect(fields(wanted, good)).toEqual([]);
  expect(fields(wanted, bad)).toEqual(['spec.ca.lifetime']);
  expect(fields(wanted, undefined)).toEqual(['missing']);
  expect(fields(wanted, good)).toEqual([]);
  expect(fields(declared({ ca: { lifetime: '31d' } }), bad)).toEqual([]);
});
