import { expect, test } from 'vitest';
import { condition } from '../../api/object.ts';
import type { ZoneRecord } from '../../runtime/store/records.ts';
import { digest, type Scene, scene, served } from '../test-scene.ts';
import { contentController } from './controller.ts';

const DEADLINE_MS = 10 * 60 * 1000;
const R1 = digest('1');
const R2 = digest('2');

async function published(): Promise<Scene> {
  const at = await scene();
  at.start(contentController(at));
  for (const name of ['a', 'b', 'c']) {
    await at.node(name, ['edge']);
    await at.connect(name);
  }
  await at.create('Release', R1, { site: 'blog', files: 1, sizeBytes: 1 });
  await at.create('Site', 'blog', { hosts: ['blog.example.com'], content: { release: R1 } });
  return at;
}

function siteIn(at: Scene) {
  const site = at.world.get('Site', { namespace: 'default', name: 'blog' });
  if (site === undefined) throw new Error('no site');
  return site;
}

async function verify(at: Scene, nodes: readonly string[], release: string): Promise<void> {
  for (const node of nodes) await at.report(node, { sites: [served(siteIn(at), release)] });
}

const reason = (at: Scene, type: string) => condition(siteIn(at), type)?.reason;

test('a release is served once every connected edge has verified it (INV-28)', async () => {
  const at = await published();
  await verify(at, ['a', 'b'], R1);
  expect(siteIn(at).status?.release).toBeUndefined();
  expect(siteIn(at).status?.rollout).toMatchObject({ verified: 2, total: 3 });
  await verify(at, ['c'], R1);
  expect(siteIn(at).status?.release).toBe(R1);
  expect(reason(at, 'Released')).toBe('Released');
  expect(at.events.notes.map((note) => note.reason)).toEqual(['ReleaseSwitched']);
  await at.end();
});

test('a site in a zone is waited for until every nameserver answers for it (INV-19)', async () => {
  const at = await published();
  await at.create('Zone', 'example', { origin: 'example.com' });
  for (const name of ['m', 'n']) {
    await at.node(name, ['nameserver']);
    await at.connect(name);
  }
  await verify(at, ['a', 'b', 'c'], R1);
  expect(reason(at, 'DnsReady')).toBe('NoCandidates');
  const [uid, siteUid, serial] = ['z', siteIn(at).metadata.uid, 7];
  const name = { name: 'blog.example.com', siteUid, candidates: ['a'], since: serial };
  const version = { zoneUid: uid, serial: 9, origin: 'example.com', records: [], geoNames: [name] };
  await at.put('zone', 'default/example', version as unknown as ZoneRecord);
  expect(reason(at, 'DnsReady')).toBe('Propagating');
  await at.report('m', { zones: [{ uid, serial, error: '' }] });
  await at.report('n', { zones: [{ uid, serial: serial - 1, error: '' }] });
  expect(condition(siteIn(at), 'DnsReady')?.message).toBe('waiting for n to answer for it');
  await at.report('n', { zones: [{ uid, serial: serial + 1, error: '' }] });
  expect(reason(at, 'DnsReady')).toBe('Answered');
  await at.remove('Zone', 'example');
  expect(reason(at, 'DnsReady')).toBeUndefined();
  await at.end();
});

test('an edge that falls silent stops to hold the rollout up', async () => {
  const at = await published();
  await verify(at, ['a', 'b'], R1);
  await at.disconnect('c');
  expect(siteIn(at).status?.release).toBe(R1);
  await at.end();
});

test('after the deadline more than half are enough, with no further event', async () => {
  const at = await published();
  await verify(at, ['a', 'b'], R1);
  await at.clock.advance(DEADLINE_MS);
  await at.settle();
  expect(siteIn(at).status?.release).toBe(R1);
  expect(reason(at, 'Released')).toBe('Releasing');
  await at.end();
});

test('after the deadline with too few it stays, says so, and an event warns once', async () => {
  const at = await published();
  await verify(at, ['a'], R1);
  await at.clock.advance(DEADLINE_MS);
  await at.settle();
  expect(reason(at, 'ContentReady')).toBe('RolloutStalled');
  await verify(at, ['a'], R2);
  expect(at.events.notes.map((note) => note.reason)).toEqual(['RolloutStalled']);
  await at.end();
});

test('a release that is not there changes nothing that is served', async () => {
  const at = await published();
  await verify(at, ['a', 'b', 'c'], R1);
  await at.configure('Site', 'blog', { content: { release: R2 } });
  expect(siteIn(at).status?.release).toBe(R1);
  expect(reason(at, 'ContentReady')).toBe('ReleaseNotFound');
  await at.create('Release', R2, { site: 'blog', files: 1, sizeBytes: 1 });
  expect(reason(at, 'ContentReady')).toBe('RollingOut');
  await at.end();
});

test('a release that goes at the moment of the switch is not switched to (INV-16)', async () => {
  const at = await scene();
  await at.node('a', ['edge']);
  await at.connect('a');
  await at.create('Site', 'blog', { hosts: ['blog.example.com'], content: { release: R1 } });
  const ownerReferences = [{ kind: 'Site', name: 'blog', uid: siteIn(at).metadata.uid }];
  const spec = { site: 'blog', files: 1, sizeBytes: 1 };
  await at.create('Release', R1, spec, { ownerReferences });
  await verify(at, ['a'], R1);
  const base = at.world.list('Release')[0]!;
  const gone = at.writer.commit([{ kind: 'delete', base }], { manager: 'test', user: 'admin' });
  // The mirror has not heard of it when the reconcile reads.
  const { signal } = new AbortController();
  const outcome = await contentController(at).reconcile('default/blog', signal);
  expect((await gone).outcome).toBe('written');
  expect(outcome).toBe('conflict');
  await at.settle();
  expect(siteIn(at).status?.release).toBeUndefined();
  await at.end();
});

test('the site takes over its release', async () => {
  const at = await published();
  const release = at.world.get('Release', { namespace: 'default', name: R1 });
  expect(release?.metadata.ownerReferences).toEqual([
    { kind: 'Site', name: 'blog', uid: siteIn(at).metadata.uid },
  ]);
  await at.end();
});

test('at the fixed point nothing is written (INV-2)', async () => {
  const at = await published();
  await verify(at, ['a', 'b', 'c'], R1);
  const revision = await at.revision();
  at.start(contentController(at));
  await at.clock.advance(2 * DEADLINE_MS);
  expect(await at.revision()).toBe(revision);
  await at.end();
});
