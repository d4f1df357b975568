import { expect, test } from 'vitest';
import { condition } from '../api/object.ts';
import { allControllers } from './all.ts';
import { defaultIssuer } from './certificates/plan.ts';
import { digest, type Scene, scene } from './test-scene.ts';

const R1 = digest('1');
const EDGES = ['a', 'b', 'c'];

/** What agents would do: each reports what it was told as done. */
async function obey(at: Scene): Promise<void> {
  for (const node of EDGES) {
    const sites = at.world.list('Site').map(({ metadata, spec, status }) => ({
      uid: metadata.uid,
      generation: metadata.generation,
      serving: status?.release ?? '',
      verified: [spec.content?.release ?? ''],
      certificate: at.world.get('Certificate', { ...metadata })?.status?.fingerprint ?? '',
      error: '',
    }));
    const zones = at.world.records('zone').map(([, { value }]) => ({
      uid: value.zoneUid,
      serial: value.serial,
      error: '',
    }));
    await at.report(node, { sites, zones });
  }
}

async function cluster(): Promise<Scene> {
  const at = await scene();
  at.start(...allControllers(at));
  await at.commit({ kind: 'create', object: defaultIssuer() });
  for (const name of EDGES) {
    await at.node(name);
    await at.connect(name);
  }
  await at.create('Zone', 'example', { origin: 'example.com' });
  await at.create('Release', R1, { site: 'blog', files: 1, sizeBytes: 1 });
  await at.create('Site', 'blog', { hosts: ['blog.example.com'], content: { release: R1 } });
  for (let round = 0; round < 4; round += 1) await obey(at);
  return at;
}

test('a site becomes ready with all it needs; then no more writes (INV-1, INV-2)', async () => {
  const at = await cluster();
  const site = at.world.get('Site', { namespace: 'default', name: 'blog' })!;
  const zone = at.world.get('Zone', { namespace: 'default', name: 'example' })!;
  expect(condition(site, 'Ready')?.message).toBe('released on 3/3 nodes');
  expect(condition(site, 'Ready')?.status).toBe('True');
  expect(condition(zone, 'Ready')?.message).toBe('served by 3/3 nameservers');
  expect(site.status?.dns?.candidates).toEqual(EDGES);
  const revision = await at.revision();
  at.start(...allControllers(at));
  await at.clock.advance(86_400_000);
  expect(await at.revision()).toBe(revision);
  await at.end();
});

test('when all is deleted nothing is left that belonged to it (INV-7)', async () => {
  const at = await cluster();
  await at.remove('Site', 'blog');
  await at.remove('Zone', 'example');
  for (const node of EDGES) await at.remove('Node', node);
  expect(at.world.list('Certificate')).toEqual([]);
  expect(at.world.list('Release')).toEqual([]);
  for (const record of ['material', 'zone', 'report', 'host'] as const)
    expect(at.world.records(record)).toEqual([]);
  await at.end();
});
