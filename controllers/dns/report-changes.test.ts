import { expect, test } from 'vitest';
import { type Scene, scene, served } from '../test-scene.ts';
import { dnsController } from './controller.ts';

/** Zones one.test and two.test with a Site each, and what is called for from now on. */
async function twoZones(): Promise<{ readonly at: Scene; readonly called: () => string[] }> {
  const at = await scene();
  const { affected, ...rest } = dnsController(at);
  const calls: string[] = [];
  at.start({
    ...rest,
    affected(change) {
      const names = affected(change);
      const isReport = change.kind === 'record' && change.record === 'report';
      if (isReport) calls.push(...names);
      return names;
    },
  });
  await at.node('a');
  await at.connect('a');
  for (const name of ['one', 'two']) {
    await at.create('Zone', name, { origin: `${name}.test` });
    await at.create('Site', name, { hosts: [`www.${name}.test`] });
  }
  return { at, called: () => calls.splice(0).toSorted() };
}

function uidOf(at: Scene, kind: 'Zone' | 'Site', name: string): string {
  return at.world.get(kind, { namespace: 'default', name })?.metadata.uid ?? '';
}

test('a report calls for the zones that it says something else of', async () => {
  const { at, called } = await twoZones();
  await at.report('a', {});
  expect(called()).toEqual(['default/one', 'default/two']);

  const uid = uidOf(at, 'Zone', 'one');
  const zones = [{ uid, serial: 7, error: '' }];
  await at.report('a', { zones });
  expect(called()).toEqual(['default/one']);
  await at.report('a', { zones, geo: ['2026-01'] });
  expect(called()).toEqual([]);

  const site = at.world.get('Site', { namespace: 'default', name: 'two' });
  if (site === undefined) throw new Error('no Site');
  await at.report('a', { zones, sites: [served(site, 'sha256:1')] });
  expect(called()).toEqual(['default/two']);
  await at.report('a', { zones: [] });
  expect(called()).toEqual(['default/one', 'default/two']);
  await at.end();
});

test('tokens of proofs call for the zones whose hosts wait for them', async () => {
  const { at, called } = await twoZones();
  await at.report('a', {});
  called();
  await at.report('a', { challenges: ['of-nobody'] });
  expect(called()).toEqual([]);
  const proof = { type: 'http-01', url: '', token: 'mine', sinceMs: 0, keyAuthorization: 'mine.x' };
  const names = ['www.two.test'];
  const authorizations = [{ url: '', name: names[0], wildcard: false, state: 'proposed', proof }];
  const value = { phase: 'validating', names, authorizations } as never;
  await at.commit({ kind: 'record', record: 'acmeOrder', id: 'uid', value, modRevision: 0n });
  await at.report('a', { challenges: ['mine'] });
  expect(called()).toEqual(['default/two']);
  await at.report('a', {});
  expect(called()).toEqual(['default/two']);
  await at.end();
});

test('another machine under the name of one that is known may say anything', async () => {
  const { at, called } = await twoZones();
  await at.report('a', {});
  called();
  await at.report('a', { nodeUid: 'another' });
  expect(called()).toEqual(['default/one', 'default/two']);
  await at.end();
});
