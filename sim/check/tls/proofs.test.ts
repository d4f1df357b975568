import { expect, test } from 'vitest';
import type { PlaneSnapshot } from '../../../agent/plane/plane.ts';
import { recordKey } from '../../../runtime/store/keys.ts';
import { Scene } from '../scene.fixture.ts';
import { proofsCheck } from './proofs.ts';

const PROOF = { name: '_acme-challenge.blog.test', type: 'TXT', ttlS: 1, values: ['x'] };

function rested(parts: {
  readonly edge?: object;
  readonly zone?: object;
  readonly stored?: { readonly key: string; readonly value: object };
}): Scene {
  const scene = new Scene();
  const { edge = {}, zone = { records: [] }, stored } = parts;
  const snapshot = { edge, dns: { zones: [zone] } } as unknown as PlaneSnapshot;
  const nodes = () => [{ node: 'london', snapshot, files: new Map() }];
  scene.watch(proofsCheck(scene.ports, { history: scene.history, nodes }));
  if (stored !== undefined)
    scene.commit([{ kind: 'put', key: stored.key, value: JSON.stringify(stored.value) }]);
  scene.tell((check) => check.rested?.());
  return scene;
}

test('nothing is left', () => {
  const key = recordKey('zone', 'default/blog-test');
  const value = { records: [{ name: 'blog.test', type: 'A', ttlS: 1, values: [] }] };
  expect(rested({ stored: { key, value } }).violations).toEqual([]);
});

test.each([
  { left: 'an order', parts: { stored: { key: recordKey('acmeOrder', 'uid'), value: {} } } },
  {
    left: 'a record in a zone of the store',
    parts: { stored: { key: recordKey('zone', 'default/z'), value: { records: [PROOF] } } },
  },
  { left: 'a record at a nameserver', parts: { zone: { records: [PROOF] } } },
  { left: 'an HTTP proof', parts: { edge: { proofs: { http: [{ host: 'a.test' }], alpn: [] } } } },
  { left: 'a TLS proof', parts: { edge: { proofs: { http: [], alpn: [{ host: 'a.test' }] } } } },
])('INV-32 when $left is left', ({ parts }) => {
  expect(rested(parts).numbers).toEqual([32]);
});
