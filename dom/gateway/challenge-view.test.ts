import { expect, test } from 'vitest';
import { type Scene, scene } from '../../controllers/test-scene.ts';
import { alpnProof, dnsProof, httpProof, testOrder } from '../../runtime/acme/order.fixture.ts';
import { Feed } from './feed.ts';
import { mayChangePlans, planView } from './view.ts';

const open = ({ sealedKey }: { readonly sealedKey: string }): string => sealedKey;
const order = testOrder([
  { name: 'a.test', proof: httpProof('t1') },
  { name: 'b.test', proof: alpnProof('t2') },
  { name: 'c.test', proof: httpProof('t3'), state: 'asked' },
  { name: 'd.test', proof: dnsProof('_acme-challenge.d.test', 't4') },
  { name: 'e.test', state: 'pending' },
  { name: 'f.test', proof: httpProof('t6'), state: 'valid' },
]);

function challenges(at: Scene, roles: { readonly edge: boolean; readonly nameserver: boolean }) {
  return planView(at.world, { node: 'a', ...roles }, open)
    .map((entry) => ({ version: entry.version, ...entry.make() }))
    .filter(({ object }) => object?.$case === 'challenge');
}

const EDGE = { edge: true, nameserver: false };

test('edges get the proofs that they are to answer with, and nobody else does (INV-34)', async () => {
  const at = await scene();
  await at.put('acmeOrder', 'uid-1', order);
  expect(challenges(at, EDGE)).toEqual([
    {
      key: 'challenge/uid-1',
      version: expect.any(String),
      object: {
        $case: 'challenge',
        value: {
          uid: 'uid-1',
          http: [
            { host: 'a.test', token: 't1', keyAuthorization: 't1.thumbprint' },
            { host: 'c.test', token: 't3', keyAuthorization: 't3.thumbprint' },
          ],
          alpn: [{ host: 'b.test', token: 't2', digest: Buffer.alloc(32, 0xab) }],
        },
      },
    },
  ]);
  expect(challenges(at, { edge: false, nameserver: true })).toEqual([]);
  await at.end();
});

test('what an order does otherwise is no news to edges', async () => {
  const at = await scene();
  const feed = new Feed(new Map(), () => undefined);
  const isNews = (): boolean => {
    const position = { epoch: 1n, revision: at.world.revision };
    return feed.update(planView(at.world, { node: 'a', ...EDGE }, open), position);
  };
  await at.put('acmeOrder', 'uid-1', order);
  expect(isNews()).toBe(true);
  const [one, ...others] = order.authorizations;
  const asked = { ...order, authorizations: [{ ...one!, state: 'asked' as const }, ...others] };
  await at.put('acmeOrder', 'uid-1', { ...asked, notBeforeMs: 7 });
  expect(isNews()).toBe(false);
  await at.put('acmeOrder', 'uid-1', { ...order, authorizations: others });
  expect(isNews()).toBe(true);
  await at.end();
});

test.each([
  {
    when: 'has no proof for edges',
    value: testOrder([{ proof: dnsProof('_acme-challenge.d.test', 't4') }]),
  },
  { when: 'is gone', value: undefined },
])('an order that $when is in no plan (INV-32)', async ({ value }) => {
  const at = await scene();
  await at.put('acmeOrder', 'uid-1', order);
  await at.put('acmeOrder', 'uid-1', value);
  expect(challenges(at, EDGE)).toEqual([]);
  await at.end();
});

test('an order may change plans', () => {
  const change = { kind: 'record', record: 'acmeOrder', id: 'uid-1', deleted: true } as const;
  expect(mayChangePlans(change)).toBe(true);
  expect(mayChangePlans({ ...change, record: 'acmeAccount' })).toBe(false);
});
