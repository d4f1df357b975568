import { expect, test } from 'vitest';
import type { AcmeOrderRecord } from '../../../runtime/acme/records.ts';
import { recordKey } from '../../../runtime/store/keys.ts';
import type { Write } from '../../../runtime/store/store.ts';
import { Scene } from '../scene.fixture.ts';
import { ordersCheck } from './orders.ts';

const ORDER: AcmeOrderRecord = {
  ...{ certificate: { namespace: 'default', name: 'blog' }, issuerUid: 'i', accountUrl: 'u' },
  ...{ names: ['b.test', 'a.test'], keyType: 'ecdsa-p256', generation: 1, sealedKey: 's' },
  ...{ startedMs: 1, progressMs: 1, placings: 1, phase: 'placing', authorizations: [] },
};
const COUNT: Write = { kind: 'put', key: recordKey('acmeCount', 'uid/1'), value: '{}' };
const SECOND: Write = { ...COUNT, key: recordKey('acmeCount', 'uid/2') };

function watched(): { scene: Scene; reached: string[] } {
  const scene = new Scene();
  const reached: string[] = [];
  const ports = { ...scene.ports, reached: (path: string) => void reached.push(path) };
  scene.watch(ordersCheck(ports));
  return { scene, reached };
}

function stores(change: Partial<AcmeOrderRecord> = {}): Write {
  const value = JSON.stringify({ ...ORDER, ...change });
  return { kind: 'put', key: recordKey('acmeOrder', 'uid'), value };
}

function places(scene: Scene, number: number, answer: 'answered' | 'lost' = 'answered'): void {
  const url = `https://ca.test/order/${number}`;
  const order = { directory: 'https://ca.test/directory', url, names: ['a.test', 'b.test'] };
  scene.tell((check) => check.ordered?.({ ...order, answer }));
}

test('an order that was stored and counted may be placed; so may one whose answer was lost', () => {
  const { scene, reached } = watched();
  scene.commit([stores(), COUNT]);
  places(scene, 1, 'lost');
  scene.commit([stores({ placings: 2 }), COUNT, SECOND]);
  places(scene, 2);
  scene.commit([stores({ placings: 2, phase: 'validating', url: 'https://ca.test/order/1' })]);
  expect(scene.violations).toEqual([]);
  expect(reached).toEqual(['order found whose answer was lost']);
});

test('INV-30 when the CA has an order that was not stored before', () => {
  const { scene } = watched();
  places(scene, 1);
  expect(scene.numbers).toEqual([30]);
});

test('INV-30 when an order is placed twice and was stored once', () => {
  const { scene } = watched();
  scene.commit([stores(), COUNT]);
  places(scene, 1);
  scene.commit([stores({ phase: 'validating' })]);
  places(scene, 2);
  expect(scene.numbers).toEqual([30]);
});

test.each([
  { when: 'alone', count: [] },
  { when: 'while the count of another ends', count: [COUNT] },
])('INV-30 when an order is not counted, $when', ({ count }) => {
  const { scene } = watched();
  scene.commit([stores(), COUNT]);
  scene.commit([stores({ placings: 2 }), ...count]);
  expect(scene.numbers).toEqual([30]);
});
