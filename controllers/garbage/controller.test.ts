import { expect, test } from 'vitest';
import type { World } from '../../runtime/store/world.ts';
import { digest, internalCertificate, type Scene, scene } from '../test-scene.ts';
import { garbageController } from './controller.ts';

const R1 = digest('1');

async function siteWithBelongings(): Promise<Scene> {
  const at = await scene();
  at.start(garbageController(at));
  await at.create('Site', 'blog', { hosts: ['a.example.com', 'b.example.com'] });
  const uid = at.world.list('Site')[0]?.metadata.uid ?? '';
  const ownerReferences = [{ kind: 'Site', name: 'blog', uid }];
  await at.create('Certificate', 'blog', internalCertificate(['a.example.com']), {
    ownerReferences,
  });
  await at.create('Release', R1, { site: 'blog', files: 1, sizeBytes: 1 }, { ownerReferences });
  await at.create('Certificate', 'by-hand', internalCertificate(['c.example.com']));
  for (const host of ['a.example.com', 'b.example.com'])
    await at.put('host', host, { siteUid: uid, namespace: 'default', name: 'blog' });
  return at;
}

const names = (at: Scene) => ({
  certificates: at.world.list('Certificate').map(({ metadata }) => metadata.name),
  releases: at.world.list('Release').length,
  hosts: at.world.records('host').map(([host]) => host),
});

test('what a site owned goes with it, and nothing else', async () => {
  const at = await siteWithBelongings();
  const hosts = ['a.example.com', 'b.example.com'];
  expect(names(at)).toEqual({ certificates: ['blog', 'by-hand'], releases: 1, hosts });
  await at.remove('Site', 'blog');
  expect(names(at)).toEqual({ certificates: ['by-hand'], releases: 0, hosts: [] });
  await at.end();
});

test('a site of the same name is another owner', async () => {
  const at = await siteWithBelongings();
  const [before] = at.world.list('Site');
  await at.commit({ kind: 'delete', base: before! });
  await at.create('Site', 'blog', { hosts: ['a.example.com'] });
  expect(names(at)).toEqual({ certificates: ['by-hand'], releases: 0, hosts: [] });
  await at.end();
});

test('a host that a site gave up is free again', async () => {
  const at = await siteWithBelongings();
  await at.configure('Site', 'blog', { hosts: ['a.example.com'] });
  expect(names(at).hosts).toEqual(['a.example.com']);
  await at.end();
});

test('what was left over while dom was away goes at its start', async () => {
  const at = await scene();
  const ownerReferences = [{ kind: 'Site', name: 'gone', uid: 'gone' }];
  await at.create('Certificate', 'gone', internalCertificate(['a.example.com']), {
    ownerReferences,
  });
  await at.put('host', 'a.example.com', { siteUid: 'gone', namespace: 'default', name: 'gone' });
  at.start(garbageController(at));
  await at.settle();
  expect(names(at)).toEqual({ certificates: [], releases: 0, hosts: [] });
  await at.end();
});

test('a namesake of the owner does not count', async () => {
  const at = await scene();
  const ownerReferences = [{ kind: 'Site', name: 'blog', uid: 'earlier' }];
  await at.create('Site', 'blog', { hosts: ['a.example.com'] });
  await at.create('Certificate', 'blog', internalCertificate(['a.example.com']), {
    ownerReferences,
  });
  at.start(garbageController(at));
  await at.settle();
  expect(names(at).certificates).toEqual([]);
  await at.end();
});

test('an owner of a kind that is not known here is left to who knows it', async () => {
  const at = await scene();
  const ownerReferences = [{ kind: 'Fleet', name: 'x', uid: 'x' }];
  await at.create('Certificate', 'x', internalCertificate(['a.example.com']), { ownerReferences });
  at.start(garbageController(at));
  await at.settle();
  expect(names(at).certificates).toEqual(['x']);
  await at.end();
});

test('a release that a new site names outlives its old owner until it is let go of', async () => {
  const at = await scene();
  const ownerReferences = [{ kind: 'Site', name: 'gone', uid: 'gone' }];
  await at.create('Site', 'new', { hosts: ['a.example.com'], content: { release: R1 } });
  await at.create('Release', R1, { site: 'gone', files: 1, sizeBytes: 1 }, { ownerReferences });
  at.start(garbageController(at));
  await at.settle();
  expect(names(at).releases).toBe(1);
  await at.configure('Site', 'new', { content: {} });
  expect(names(at).releases).toBe(0);
  await at.end();
});

test('at the fixed point nothing is written (INV-2)', async () => {
  const at = await siteWithBelongings();
  const revision = await at.revision();
  at.start(garbageController(at));
  await at.clock.advance(3_600_000);
  expect(await at.revision()).toBe(revision);
  await at.end();
});

test('a release stays that a site names which was declared again and is not seen here yet', async () => {
  const at = await scene();
  const ownerReferences = [{ kind: 'Site', name: 'blog', uid: 'earlier' }];
  await at.create('Release', R1, { site: 'blog', files: 1, sizeBytes: 1 }, { ownerReferences });
  await at.create('Site', 'blog', { hosts: ['a.example.com'], content: { release: R1 } });
  const behind: World = {
    revision: at.world.revision,
    get: (kind, name) => (kind === 'Site' ? undefined : at.world.get(kind, name)),
    list: (kind) => (kind === 'Site' ? [] : at.world.list(kind)),
    record: (record, id) => at.world.record(record, id),
    records: (record) => at.world.records(record),
  };
  const { reconcile } = garbageController({ world: behind, writer: at.writer });
  expect(await reconcile(`Release/default/${R1}`, new AbortController().signal)).toBe('conflict');
  await at.settle();
  expect(names(at).releases).toBe(1);
  await at.end();
});
