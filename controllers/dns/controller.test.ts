import { expect, test } from 'vitest';
import { condition } from '../../api/object.ts';
import { digest, type Scene, scene, served } from '../test-scene.ts';
import { dnsController } from './controller.ts';

const ZONE = 'default/example';
const R1 = digest('1');

function siteIn(at: Scene) {
  const site = at.world.get('Site', { namespace: 'default', name: 'blog' });
  if (site === undefined) throw new Error('no site');
  return site;
}

async function zoneWithSite(): Promise<Scene> {
  const at = await scene();
  at.start(dnsController(at));
  await at.node('a');
  await at.connect('a');
  await at.create('Zone', 'example', { origin: 'example.com' });
  await at.create('Site', 'blog', { hosts: ['blog.example.com'] });
  return at;
}

test('a site gets its candidates once a node has verified what is served', async () => {
  const at = await zoneWithSite();
  const candidates = () => at.world.record('zone', ZONE)?.value.geoNames[0]?.candidates;
  expect(candidates()).toEqual([]);
  await at.commit({ kind: 'status', base: siteIn(at), status: { release: R1 } as object });
  expect(candidates()).toEqual([]);
  await at.report('a', { sites: [served(siteIn(at), R1)] });
  expect(candidates()).toEqual(['a']);
  await at.disconnect('a');
  expect(candidates()).toEqual(['a']);
  await at.remove('Site', 'blog');
  expect(at.world.record('zone', ZONE)?.value.geoNames).toEqual([]);
  await at.end();
});

test('a version says since when a host leads to nodes, also versions after it', async () => {
  const at = await zoneWithSite();
  const record = () => at.world.record('zone', ZONE)?.value;
  const since = () => record()?.geoNames[0]?.since;
  await at.commit({ kind: 'status', base: siteIn(at), status: { release: R1 } as object });
  expect(since()).toBeUndefined();
  await at.report('a', { sites: [served(siteIn(at), R1)] });
  const first = record()?.serial;
  expect(since()).toBe(first);
  await at.node('b');
  await at.report('b', { sites: [served(siteIn(at), R1)] });
  expect(record()?.geoNames[0]?.candidates).toEqual(['a', 'b']);
  expect(record()?.serial).toBeGreaterThan(first ?? 0);
  expect(since()).toBe(first);
  const revision = await at.revision();
  at.start(dnsController(at));
  await at.settle();
  expect(await at.revision()).toBe(revision);
  await at.end();
});

test('a machine that joins under the name of a removed one is not taken for it (INV-16)', async () => {
  const at = await zoneWithSite();
  const zone = () => at.world.record('zone', ZONE)?.value;
  await at.commit({ kind: 'status', base: siteIn(at), status: { release: R1 } as object });
  await at.report('a', { sites: [served(siteIn(at), R1)] });
  expect(zone()).toMatchObject({ geoNames: [{ candidates: ['a'] }], nodeUids: { a: uidOf('a') } });
  const before = zone()?.serial ?? 0;
  const old = at.world.get('Node', { name: 'a' });
  if (old === undefined) throw new Error('no node');
  // So fast that the controller sees the second one only.
  const gone = at.commit({ kind: 'delete', base: old });
  await at.commit({
    kind: 'create',
    object: { kind: 'Node', metadata: { name: 'a' }, spec: old.spec },
  });
  await gone;
  expect(uidOf('a')).not.toBe(old.metadata.uid);
  expect(zone()?.geoNames[0]?.candidates).toEqual([]);
  expect(zone()?.nodeUids).toBeUndefined();
  await at.report('a', { sites: [served(siteIn(at), R1)] });
  expect(zone()).toMatchObject({ geoNames: [{ candidates: ['a'] }], nodeUids: { a: uidOf('a') } });
  expect(zone()?.serial).toBeGreaterThan(before);
  await at.end();

  function uidOf(name: string): string | undefined {
    return at.world.get('Node', { name })?.metadata.uid;
  }
});

test('what secondaries get follows the edges, each time with a greater serial', async () => {
  const at = await zoneWithSite();
  await at.node('b');
  await at.connect('b');
  await at.configure('Site', 'blog', { routing: { policy: 'nearest', answers: 1 } });
  await at.commit({ kind: 'status', base: siteIn(at), status: { release: R1 } as object });
  for (const name of ['a', 'b']) await at.report(name, { sites: [served(siteIn(at), R1)] });
  const record = () => at.world.record('zone', ZONE)?.value;
  const before = record()?.serial ?? 0;
  // Without secondaries nobody asks dom who is up.
  await at.disconnect('b');
  expect([record()?.serial, record()?.transfer]).toEqual([before, undefined]);
  await at.connect('b');
  const secondaries = [{ address: '192.0.2.53', port: 53 }];
  await at.configure('Zone', 'example', { origin: 'example.com', secondaries });
  const addresses = () => record()?.transfer?.addresses.map(({ values }) => values.length);
  expect(addresses()).toEqual([2, 2]);
  const both = record()?.serial ?? 0;
  await at.disconnect('b');
  expect(addresses()).toEqual([1, 1]);
  expect(record()?.serial).toBeGreaterThan(both);
  await at.end();
});

test('the zone is ready once its nameservers report the serial', async () => {
  const at = await zoneWithSite();
  const zone = () => at.world.get('Zone', { namespace: 'default', name: 'example' });
  const serial = zone()?.status?.serial ?? 0;
  expect(serial).toBe(at.world.record('zone', ZONE)?.value.serial);
  await at.report('a', { zones: [{ uid: zone()?.metadata.uid ?? '', serial, error: '' }] });
  expect(condition(zone()!, 'Ready')?.status).toBe('True');
  await at.end();
});

test('a zone that is gone takes its record along; a new one begins greater', async () => {
  const at = await zoneWithSite();
  const before = at.world.record('zone', ZONE)?.value.serial ?? 0;
  await at.remove('Zone', 'example');
  expect(at.world.record('zone', ZONE)).toBeUndefined();
  await at.clock.advance(2000);
  await at.create('Zone', 'example', { origin: 'example.com' });
  expect(at.world.record('zone', ZONE)?.value.serial).toBeGreaterThan(before);
  await at.end();
});

test.each([
  { when: 'the clock went back', jumpMs: -3_600_000, changes: 0 },
  { when: 'it has changed more often than seconds have passed', jumpMs: 0, changes: 20 },
])('a zone that is declared again begins greater, though $when (INV-22)', async (given) => {
  const at = await zoneWithSite();
  for (let ttl = 1; ttl <= given.changes; ttl += 1) await at.configure('Site', 'blog', { ttl });
  const before = at.world.record('zone', ZONE)?.value.serial ?? 0;
  await at.remove('Zone', 'example');
  const { nowMs } = at.clock;
  at.clock.nowMs = () => nowMs() + given.jumpMs;
  await at.create('Zone', 'other', { origin: 'other.example' });
  await at.create('Zone', 'example', { origin: 'example.com' });
  const again = at.world.record('zone', ZONE)?.value.serial ?? 0;
  expect(again).toBeGreaterThan(before);
  await at.configure('Zone', 'example', { origin: 'third.example' });
  await at.create('Zone', 'fourth', { origin: 'example.com' });
  const fourth = at.world.record('zone', 'default/fourth')?.value.serial;
  expect(fourth).toBeGreaterThan(again);
  expect(at.world.records('serial').length).toBe(1);
  await at.end();
});

test('a younger zone of the same origin takes over when the older one goes', async () => {
  const at = await zoneWithSite();
  await at.clock.advance(1000);
  await at.create('Zone', 'second', { origin: 'example.com' });
  expect(at.world.record('zone', 'default/second')).toBeUndefined();
  const before = at.world.record('zone', ZONE)?.value.serial ?? 0;
  await at.remove('Zone', 'example');
  const after = at.world.record('zone', 'default/second')?.value;
  expect(after?.serial).toBeGreaterThan(before);
  expect(after?.geoNames.map(({ name }) => name)).toEqual(['blog.example.com']);
  await at.end();
});

test('a node that becomes a nameserver joins the zone, one that goes leaves it', async () => {
  const at = await zoneWithSite();
  const nameservers = () =>
    at.world.get('Zone', { namespace: 'default', name: 'example' })?.status?.nameservers;
  await at.node('b', ['edge']);
  expect(nameservers()).toEqual(['a.ns.example.com']);
  await at.configure('Node', 'b', { roles: ['nameserver'] });
  expect(nameservers()).toEqual(['a.ns.example.com', 'b.ns.example.com']);
  await at.remove('Node', 'a');
  expect(nameservers()).toEqual(['b.ns.example.com']);
  await at.end();
});

test('a node that gets a label comes into the regions that choose by it', async () => {
  const at = await zoneWithSite();
  const regions = [{ countries: ['DE'], labels: { area: 'europe' } }];
  await at.configure('Site', 'blog', { routing: { policy: 'nearest', answers: 1, regions } });
  await at.commit({ kind: 'status', base: siteIn(at), status: { release: R1 } as object });
  await at.report('a', { sites: [served(siteIn(at), R1)] });
  const nodes = () => at.world.record('zone', ZONE)?.value.geoNames[0]?.regions?.[0]?.nodes;
  expect(nodes()).toEqual([]);
  const base = at.world.get('Node', { name: 'a' });
  if (base === undefined) throw new Error('no node');
  const next = { ...base, metadata: { ...base.metadata, labels: { area: 'europe' } } };
  await at.commit({ kind: 'replace', base, next });
  await at.settle();
  expect(nodes()).toEqual(['a']);
  await at.end();
});

test('at the fixed point nothing is written (INV-2)', async () => {
  const at = await zoneWithSite();
  await at.commit({ kind: 'status', base: siteIn(at), status: { release: R1 } as object });
  await at.report('a', { sites: [served(siteIn(at), R1)] });
  const revision = await at.revision();
  at.start(dnsController(at));
  await at.clock.advance(3_600_000);
  expect(await at.revision()).toBe(revision);
  await at.end();
});
