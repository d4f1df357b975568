import { expect, test } from 'vitest';
import type { AcmeOrderRecord } from '../../../runtime/acme/records.ts';
import { recordKey } from '../../../runtime/store/keys.ts';
import type { AppliedSnapshot } from '../check.ts';
import { Scene } from '../scene.fixture.ts';
import { PROOF_GONE_MS, proofTimesCheck } from './proof-times.ts';

const ORDER = recordKey('acmeOrder', 'uid');
const ZONE = recordKey('zone', 'default/blog-test');
const NAME = '_acme-challenge.blog.test';
const RECORDS = [{ name: NAME, type: 'TXT', ttlS: 1, values: ['"x"'] }];
const AUTHORIZATION = {
  ...{ url: 'u', name: 'blog.test', wildcard: false, state: 'asked' },
  proof: {
    ...{ type: 'dns-01', url: 'c', token: 't', sinceMs: 0, zone: 'default/blog-test' },
    ...{ recordName: NAME, recordValue: 'x' },
  },
};

function watched(ports: { readonly leads?: boolean; readonly connected?: boolean } = {}): Scene {
  const scene = new Scene();
  const { leads = true, connected = true } = ports;
  scene.watch(proofTimesCheck(scene.ports, { leads: () => leads, isConnected: () => connected }));
  return scene;
}

function stores(scene: Scene, key: string, value: object): void {
  scene.commit([{ kind: 'put', key, value: JSON.stringify(value) }]);
}

function orders(scene: Scene, state = 'asked'): void {
  const order = { authorizations: [{ ...AUTHORIZATION, state }] };
  stores(scene, ORDER, order as unknown as AcmeOrderRecord);
}

function applies(scene: Scene, records: readonly object[]): void {
  const snapshot = { edge: {}, dns: { zones: [{ records }] } };
  const applied = { node: 'london', snapshot } as unknown as AppliedSnapshot;
  scene.tell((check) => check.applied?.(applied));
}

function pass(scene: Scene, ms: number): void {
  for (const untilMs = scene.nowMs + ms; scene.nowMs < untilMs; scene.nowMs += 500)
    scene.tell((check) => check.stepped?.());
}

test('a proof that an order wants stays, and goes after it', () => {
  const scene = watched();
  orders(scene);
  stores(scene, ZONE, { records: RECORDS });
  pass(scene, 2 * PROOF_GONE_MS);
  scene.remove(ORDER);
  pass(scene, PROOF_GONE_MS / 2);
  stores(scene, ZONE, { records: [] });
  pass(scene, 2 * PROOF_GONE_MS);
  expect(scene.violations).toEqual([]);
});

test('INV-32 when it stays in a zone after the order', () => {
  const scene = watched();
  orders(scene);
  stores(scene, ZONE, { records: RECORDS });
  scene.remove(ORDER);
  pass(scene, PROOF_GONE_MS);
  expect(scene.numbers).toEqual([]);
  pass(scene, 3_000);
  expect(new Set(scene.numbers)).toEqual(new Set([32]));
});

test('INV-32 when a node shows it on, though its name is proven', () => {
  const scene = watched();
  orders(scene);
  applies(scene, RECORDS);
  orders(scene, 'valid');
  pass(scene, PROOF_GONE_MS + 3_000);
  expect(new Set(scene.numbers)).toEqual(new Set([32]));
});

test.each([{ leads: false }, { connected: false }])('well: %o', (ports) => {
  const scene = watched(ports);
  applies(scene, RECORDS);
  pass(scene, 2 * PROOF_GONE_MS);
  expect(scene.violations).toEqual([]);
});
