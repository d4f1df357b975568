import { expect, test } from 'vitest';
import type { PlanObject } from '../proto/gen/b8s/v1/plan.ts';
import { listAll } from '../runtime/store/mirror.ts';
import { ADMIN, type DomScene, domScene, type NodeSession } from './test-scene.ts';

const KEY = { name: 'xfr', algorithm: '', secret: Buffer.alloc(0) };

function zone(spec: object): object {
  const metadata = { name: 'example' };
  return {
    apiVersion: 'b8s.dev/v1',
    kind: 'Zone',
    metadata,
    spec: { origin: 'example.com', ...spec },
  };
}

/** What a node holds of its plan by now. */
async function planOf(scene: DomScene, session: NodeSession): Promise<readonly PlanObject[]> {
  await scene.clock.advance(5000);
  const objects = new Map<string, PlanObject>();
  for (const { base, upserts, removals } of session.plans) {
    if (base === undefined) objects.clear();
    for (const object of upserts) objects.set(object.key, object);
    for (const key of removals) objects.delete(key);
  }
  return [...objects.values()];
}

async function transferOf(scene: DomScene, session: NodeSession) {
  const plan = await planOf(scene, session);
  const found = plan.find(({ object }) => object?.$case === 'zone');
  return found?.object?.$case === 'zone' ? found.object.value.transfer : undefined;
}

test('a secret reaches nameservers in their plan, and shows nowhere else (INV-33)', async () => {
  const lines: string[] = [];
  const note = (fields: object, message: string): void => {
    lines.push(
      JSON.stringify([fields, message], (_, value) =>
        typeof value === 'bigint' ? String(value) : (value as unknown),
      ),
    );
  };
  const log = { debug: note, info: note, warn: note, error: note, child: () => log };
  const scene = await domScene({ log: log as never });
  const { api } = scene.term;
  const { secret } = await api.createTransferKey(KEY, ADMIN);
  expect(secret.length).toBe(32);
  const secondaries = [{ address: '192.0.2.53', key: 'xfr' }, { address: '192.0.2.54' }];
  await scene.apply(zone({ secondaries }));
  const nameserver = scene.open(await scene.join('ns', ['nameserver']));
  nameserver.hello();
  const edge = scene.open(await scene.join('edge', ['edge']));
  edge.hello();
  const transfer = await transferOf(scene, nameserver);
  expect(transfer?.secondaries).toMatchObject([
    { address: '192.0.2.53', port: 53, key: { name: 'xfr', algorithm: 'hmac-sha256', secret } },
    { address: '192.0.2.54', port: 53 },
  ]);
  const others = JSON.stringify(await planOf(scene, edge), (_, value) =>
    typeof value === 'bigint' ? String(value) : (value as unknown),
  );
  const reference = { kind: 'Zone', namespace: 'default', name: 'example' };
  const shown = [
    others,
    ...lines,
    ...(await listAll(scene.store, '/b8s/')).items.map(({ value }) => value),
    (await api.get({ reference, revision: 0n }, ADMIN)).objectJson,
    JSON.stringify(await api.listTransferKeys({}, ADMIN), (_, value) =>
      typeof value === 'bigint' ? String(value) : (value as unknown),
    ),
  ];
  for (const form of ['base64', 'base64url', 'hex', 'latin1'] as const) {
    for (const text of shown) expect(text).not.toContain(secret.toString(form));
  }
  scene.stop();
});

test('a secondary whose key is missing is in no plan until there is one', async () => {
  const scene = await domScene();
  const { api } = scene.term;
  await scene.apply(zone({ secondaries: [{ address: '192.0.2.53', key: 'xfr' }] }));
  const identity = await scene.join('ns', ['nameserver']);
  const transfer = async () => {
    const session = scene.open(identity);
    session.hello();
    return transferOf(scene, session);
  };
  expect((await transfer())?.secondaries).toEqual([]);
  const reference = { kind: 'Zone', namespace: 'default', name: 'example' };
  const conditions = async () => {
    const { objectJson } = await api.get({ reference, revision: 0n }, ADMIN);
    const { status } = JSON.parse(objectJson) as { status: { conditions: { reason: string }[] } };
    return status.conditions.map(({ reason }) => reason);
  };
  expect(await conditions()).toContain('KeyMissing');
  const made = await api.createTransferKey(KEY, ADMIN);
  expect((await transfer())?.secondaries[0]?.key?.secret).toEqual(made.secret);
  expect(await conditions()).toContain('Allowed');
  const deleting = api.deleteTransferKey({ name: 'xfr' }, ADMIN);
  await expect(deleting).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
  await scene.apply(zone({}));
  await api.deleteTransferKey({ name: 'xfr' }, ADMIN);
  expect(await transfer()).toBeUndefined();
  scene.stop();
});

test('only who may write makes keys', async () => {
  const scene = await domScene();
  const viewer = { identity: { kind: 'user', name: 'eve', role: 'viewer' } } as const;
  const { api } = scene.term;
  await expect(api.createTransferKey(KEY, viewer)).rejects.toMatchObject({
    code: 'PERMISSION_DENIED',
  });
  expect((await api.listTransferKeys({}, viewer)).keys).toEqual([]);
  scene.stop();
});

test('a nameserver gets the certificate of its name, others do not (INV-34)', async () => {
  const scene = await domScene();
  await scene.apply(zone({}));
  const session = scene.open(await scene.join('london', ['nameserver']));
  session.hello();
  const edge = scene.open(await scene.join('paris', ['edge']));
  edge.hello();
  const declare = (name: string, names: readonly string[]) =>
    scene.apply({
      apiVersion: 'b8s.dev/v1',
      kind: 'Certificate',
      metadata: { name },
      spec: { names, issuer: 'internal' },
    });
  await declare('ns', ['london.ns.example.com']);
  await declare('other', ['rome.ns.example.com', 'www.example.com']);
  const held = async (of: NodeSession) =>
    (await planOf(scene, of)).map(({ key }) => key).filter((key) => key.startsWith('certificate/'));
  expect(await held(session)).toEqual(['certificate/default/ns']);
  expect(await held(edge)).toEqual([]);
  scene.stop();
});
