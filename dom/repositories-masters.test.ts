import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Issuer } from '../api/issuer.ts';
import { RECONCILE_REQUESTED } from '../api/repository.ts';
import type { Site } from '../api/site.ts';
import { fakeGit } from '../runtime/git/fake/fake-git.ts';
import { type FakeFile, FakeRemote } from '../runtime/git/fake/remote.ts';
import { type VirtualClock, virtualClock } from '../runtime/test-clock.ts';
import { ADMIN, type DomScene, domScene } from './test-scene.ts';

/** What becomes of an object that Git, people and controllers change, each some of it. */

const URL = 'https://git.example.com/infra.git';

let clock: VirtualClock;
let remote: FakeRemote;
let at: DomScene;

beforeEach(async () => {
  clock = virtualClock();
  remote = new FakeRemote();
  at = await domScene({ clock, git: fakeGit({ remotes: new Map([[URL, remote]]) }) });
});
afterEach(() => at.stop());

const manifest = (kind: string, name: string, spec: object, metadata: object = {}): string =>
  JSON.stringify({ apiVersion: 'b8s.dev/v1', kind, metadata: { name, ...metadata }, spec });
const issuer = (name: string, lifetime = '30d', metadata: object = {}): string =>
  manifest('Issuer', name, { ca: { lifetime } }, metadata);

async function settle(seconds: number): Promise<void> {
  for (let step = 0; step < seconds * 4; step += 1) await clock.advance(250);
}

let asked = 0;

async function follow(
  content: Readonly<Record<string, FakeFile>>,
  spec: object = {},
): Promise<void> {
  remote.commit(content, { subject: 'Change' });
  const whole = { url: URL, interval: '1h', timeout: '20s', ...spec };
  const annotations = { [RECONCILE_REQUESTED]: `now${(asked += 1)}` };
  await at.apply(JSON.parse(manifest('Repository', 'infra', whole, { annotations })));
  await settle(30);
}

async function find<Found>(kind: string, name: string): Promise<Found> {
  const reference = { kind, namespace: '', name };
  const { objectJson } = await at.term.api.get({ reference, revision: 0n }, ADMIN);
  return JSON.parse(objectJson) as Found;
}

async function update(kind: string, name: string, change: (spec: object) => object): Promise<void> {
  const found = await find<{ readonly spec: object }>(kind, name);
  const objectJson = JSON.stringify({ ...found, spec: change(found.spec) });
  const how = { manager: 'b8sctl', dryRun: false, command: 'b8sctl edit' };
  await at.term.api.update({ objectJson, ...how }, ADMIN);
  await settle(30);
}

const lifetime = async (): Promise<unknown> =>
  (await find<Issuer>('Issuer', 'a')).spec.ca?.lifetime;

test('a field that Git does not name may be set by hand, and stays through commits', async () => {
  await follow({ 's.json': manifest('Site', 's', { hosts: ['s.example.com'] }) });
  await update('Site', 's', (spec) => ({ ...spec, ttl: 60 }));
  expect((await find<Site>('Site', 's')).spec.ttl).toBe(60);
  await follow({ 's.json': manifest('Site', 's', { hosts: ['t.example.com'] }) });
  const { spec, metadata } = await find<Site>('Site', 's');
  expect([spec.ttl, spec.hosts]).toEqual([60, ['t.example.com']]);
  const owners = metadata.managedFields?.map(({ manager, fields }) => [manager, fields]);
  expect(owners).toEqual(
    expect.arrayContaining([
      ['repository/default/infra', ['/spec/hosts']],
      ['b8sctl', ['/spec/ttl']],
    ]),
  );
});

test('a field that Git gives up stays with whoever has set it, too', async () => {
  await follow({ 'a.json': issuer('a', '30d', { labels: { team: 'web', tier: 'front' } }) });
  await at.apply(JSON.parse(issuer('a', '30d', { labels: { team: 'web' } })));
  await follow({ 'a.json': issuer('a') });
  expect((await find<Issuer>('Issuer', 'a')).metadata.labels).toEqual({ team: 'web' });
});

test('a rollback does not fight the sync: while it is suspended, what was undone by hand stays', async () => {
  await follow({ 'a.json': issuer('a') });
  await follow({ 'a.json': issuer('a', '7d') }, { suspend: false });
  expect(await lifetime()).toBe('7d');
  await update('Repository', 'infra', (spec) => ({ ...spec, suspend: true }));
  await update('Issuer', 'a', () => ({ ca: { lifetime: '30d' } }));
  await settle(60);
  expect(await lifetime()).toBe('30d');
  // The revert commit that b8sctl offers agrees with it, so nothing changes when it is resumed.
  remote.commit({ 'a.json': issuer('a') }, { subject: 'Revert "Change"' });
  const before = (await find<Issuer>('Issuer', 'a')).metadata.generation;
  await update('Repository', 'infra', (spec) => ({ ...spec, suspend: false }));
  expect([await lifetime(), (await find<Issuer>('Issuer', 'a')).metadata.generation]).toEqual([
    ...['30d', before],
  ]);
});

test('without it what was undone by hand is what Git says again, once', async () => {
  await follow({ 'a.json': issuer('a', '7d') });
  await update('Issuer', 'a', () => ({ ca: { lifetime: '30d' } }));
  expect(await lifetime()).toBe('7d');
  const { generation } = (await find<Issuer>('Issuer', 'a')).metadata;
  await settle(120);
  expect((await find<Issuer>('Issuer', 'a')).metadata.generation).toBe(generation);
});
