import { expect, test } from 'vitest';
import { type Scene, scene } from '../test-scene.ts';
import { certificatesController } from './controller.ts';
import { defaultIssuer } from './plan.ts';

const NAME = { namespace: 'default', name: 'previews.preview.example.com' };
const PREVIEWS = { domain: 'preview.example.com', keep: 5 };

async function issuing(): Promise<Scene> {
  const at = await scene();
  at.start(certificatesController(at));
  await at.commit({ kind: 'create', object: defaultIssuer() });
  return at;
}

async function declare(at: Scene, name: string, more: object = {}): Promise<void> {
  const previews = PREVIEWS;
  await at.create('Site', name, { hosts: [`${name}.example.com`], previews, ...more });
}

const shared = (at: Scene) => at.world.get('Certificate', NAME);
const owners = (at: Scene) =>
  (shared(at)?.metadata.ownerReferences ?? []).map(({ name }) => name).toSorted();

test('Sites with one domain share a certificate, which goes with the last of them', async () => {
  const at = await issuing();
  await declare(at, 'blog');
  await declare(at, 'shop');
  await at.settle();
  expect(shared(at)?.spec).toMatchObject({ names: ['*.preview.example.com'], issuer: 'internal' });
  expect(owners(at)).toEqual(['blog', 'shop']);
  const { uid } = shared(at)!.metadata;
  expect(at.world.record('material', uid)?.value.names).toEqual(['*.preview.example.com']);
  await at.configure('Site', 'blog', { previews: undefined });
  await at.settle();
  expect(owners(at)).toEqual(['shop']);
  expect(shared(at)?.metadata.uid).toBe(uid);
  await at.configure('Site', 'shop', { previews: { ...PREVIEWS, domain: 'other.example.com' } });
  await at.settle();
  expect(shared(at)).toBeUndefined();
  expect(at.world.record('material', uid)).toBeUndefined();
  await at.end();
});

test('it comes from the Issuer of the oldest Site, also where that brings its own', async () => {
  const at = await issuing();
  await declare(at, 'blog', { tls: { issuer: 'letsencrypt' } });
  await at.clock.advance(5_000);
  await declare(at, 'shop', { tls: { issuer: 'internal', secret: 'brought' } });
  await at.settle();
  expect(shared(at)?.spec).toMatchObject({ issuer: 'letsencrypt' });
  await at.configure('Site', 'blog', { previews: undefined });
  await at.settle();
  expect(shared(at)?.spec).toMatchObject({ issuer: 'internal' });
  expect(shared(at)?.spec.secret).toBeUndefined();
  await at.end();
});

test('one that a person declared is left as it is', async () => {
  const at = await issuing();
  const names = ['*.preview.example.com', 'preview.example.com'];
  await at.create('Certificate', NAME.name, { names, issuer: 'internal' });
  await declare(at, 'blog');
  await at.configure('Site', 'blog', { previews: undefined });
  await at.settle();
  expect(shared(at)?.spec.names).toEqual(names);
  await at.end();
});
