import { expect, test } from 'vitest';
import {
  CertificatePlan,
  NodePlan,
  type PlanObject,
  SitePlan,
  ZonePlan,
} from '../../../proto/gen/b8s/v1/plan.ts';
import type { MaterialRecord, ZoneRecord } from '../../../runtime/store/records.ts';
import { keyOfObject, object, Scene } from '../scene.fixture.ts';
import { plansCheck } from './plans.ts';

const TO_EDGE = { node: 'edge', nodeUid: 'Node-edge' };
const TO_NAMESERVER = { node: 'ns', nodeUid: 'Node-ns' };
const SITE = {
  ...{ uid: 'Site-blog', namespace: 'default', name: 'blog', generation: 1n },
  ...{ hosts: ['blog.test'], serving: 'r1', prepare: ['r1', 'r2'] },
};
const CERTIFICATE = {
  ...{ uid: 'Certificate-blog', namespace: 'default', name: 'blog', fingerprint: 'f' },
};
const ZONE = { uid: 'Zone-z', namespace: 'default', name: 'z', serial: 7 };

const site = (parts: Partial<SitePlan> = {}): PlanObject => ({
  key: 'site/default/blog',
  object: { $case: 'site', value: SitePlan.fromPartial({ ...SITE, ...parts }) },
});
const certificate = (parts: Partial<CertificatePlan> = {}): PlanObject => ({
  key: 'certificate/default/blog',
  object: {
    $case: 'certificate',
    value: CertificatePlan.fromPartial({ ...CERTIFICATE, ...parts }),
  },
});
const zone = (parts: Partial<ZonePlan> = {}): PlanObject => ({
  key: 'zone/default/z',
  object: { $case: 'zone', value: ZonePlan.fromPartial({ ...ZONE, ...parts }) },
});
const node = (name: string, parts: Partial<NodePlan> = {}): PlanObject => ({
  key: `node/${name}`,
  object: {
    $case: 'node',
    value: NodePlan.fromPartial({ name, uid: `Node-${name}`, ipv4: ['192.0.2.1'], ...parts }),
  },
});
const geo: PlanObject = {
  key: 'geo/current',
  object: { $case: 'geo', value: { databases: [{ digest: 'd', sizeBytes: 1n }] } },
};

/** A site with its certificate, a zone, geography, an edge and a nameserver. */
function world(): { readonly scene: Scene; readonly revision: bigint } {
  const scene = new Scene();
  scene.watch(plansCheck(scene.ports, scene.history));
  const ipv4 = ['192.0.2.1'];
  const spec = { hosts: ['blog.test'], content: { release: 'r2' } };
  scene.put(
    object('Site', 'blog', { spec, status: { release: 'r1' } }),
    object('Certificate', 'blog'),
    object('Release', 'r1', { status: { variants: { index: 'i1' } } }),
    object('Release', 'r3', { status: { variants: { index: 'i1' } } }),
    object('Node', 'edge', { spec: { roles: ['edge'], ipv4 } }),
    object('Node', 'ns', { spec: { roles: ['nameserver'], ipv4 } }),
  );
  scene.putRecord('material', 'Certificate-blog', { fingerprint: 'f' } as MaterialRecord);
  scene.putRecord('zone', 'default/z', { zoneUid: 'Zone-z', serial: 7 } as ZoneRecord);
  const revision = scene.putRecord('geo', 'current', {
    databases: [{ digest: 'd', sizeBytes: 1 }],
  });
  return { scene, revision };
}

test('an edge may have its sites with their certificates and itself, a nameserver all else', () => {
  const { scene, revision } = world();
  const variants = [{ release: 'r1', index: 'i1' }];
  scene.sendPlan(TO_EDGE, revision, [site({ variants }), certificate(), node('edge')]);
  scene.sendPlan(TO_NAMESERVER, revision, [zone(), geo, node('edge'), node('ns')]);
  expect(scene.violations).toEqual([]);
});

test.each<{ when: string; to: typeof TO_EDGE; holds: PlanObject }>([
  { when: 'an edge gets a zone', to: TO_EDGE, holds: zone() },
  { when: 'an edge gets geography', to: TO_EDGE, holds: geo },
  { when: 'an edge sees another node', to: TO_EDGE, holds: node('ns') },
  { when: 'a nameserver gets a site', to: TO_NAMESERVER, holds: site() },
  { when: 'a nameserver gets a certificate', to: TO_NAMESERVER, holds: certificate() },
  { when: 'the site is another one', to: TO_EDGE, holds: site({ uid: 'x' }) },
  { when: 'the site is of another generation', to: TO_EDGE, holds: site({ generation: 2n }) },
  { when: 'the site has another host', to: TO_EDGE, holds: site({ hosts: ['a.test'] }) },
  { when: 'the site is served from elsewhere', to: TO_EDGE, holds: site({ serving: 'r2' }) },
  { when: 'a strange release is prepared', to: TO_EDGE, holds: site({ prepare: ['r3'] }) },
  {
    when: 'forms of a release are named that dom has not made',
    to: TO_EDGE,
    holds: site({ variants: [{ release: 'r2', index: 'i2' }] }),
  },
  {
    when: 'forms of a strange release are named',
    to: TO_EDGE,
    holds: site({ variants: [{ release: 'r3', index: 'i1' }] }),
  },
  { when: 'there is no such site', to: TO_EDGE, holds: site({ name: 'shop' }) },
  { when: 'the key is another one', to: TO_EDGE, holds: certificate({ fingerprint: 'g' }) },
  { when: 'the zone has another serial', to: TO_NAMESERVER, holds: zone({ serial: 8 }) },
  { when: 'the node is a namesake', to: TO_NAMESERVER, holds: node('edge', { uid: 'x' }) },
  {
    when: 'a silent node is called ready',
    to: TO_NAMESERVER,
    holds: node('edge', { ready: true }),
  },
  {
    when: 'something unknown is in it',
    to: TO_EDGE,
    holds: { key: 'x', object: undefined },
  },
])('INV-34 when $when', ({ to, holds }) => {
  const { scene, revision } = world();
  scene.sendPlan(to, revision, [holds]);
  expect(scene.numbers).toEqual([34]);
});

test('the certificate of previews is of every Site that has its previews there', () => {
  const { scene } = world();
  const name = 'previews.preview.test';
  scene.putRecord('material', `Certificate-${name}`, { fingerprint: 'f' } as MaterialRecord);
  // Made for a Site that is gone; its owners are not put right yet.
  scene.put(object('Certificate', name));
  const holds = certificate({ name, uid: `Certificate-${name}` });
  scene.sendPlan(TO_EDGE, scene.history.head, [holds]);
  expect(scene.numbers).toEqual([34]);
  const previews = { domain: 'preview.test', keep: 1 };
  scene.put(object('Site', 'shop', { spec: { hosts: ['shop.test'], previews } }));
  scene.sendPlan(TO_EDGE, scene.history.head, [holds]);
  expect(scene.numbers).toEqual([34]);
});

test('what counts is the revision that the plan is of', () => {
  const { scene, revision } = world();
  const gone = scene.remove(keyOfObject(object('Site', 'blog')));
  scene.sendPlan(TO_EDGE, revision, [site()]);
  expect(scene.violations).toEqual([]);
  scene.sendPlan(TO_EDGE, gone, [site()]);
  scene.sendPlan(TO_EDGE, gone, [certificate()]);
  expect(scene.numbers).toEqual([34, 34]);
});

test('a Node that is gone gets no plan made after that, one that has just come gets an older one', () => {
  const { scene, revision } = world();
  scene.put(object('Node', 'late', { spec: { roles: ['edge'] } }));
  scene.sendPlan({ node: 'late', nodeUid: 'Node-late' }, revision, [site()]);
  scene.remove(keyOfObject(object('Node', 'edge')));
  scene.sendPlan(TO_EDGE, revision, [site()]);
  expect(scene.violations).toEqual([]);
  scene.put(object('Node', 'edge', { uid: 'another', spec: { roles: ['edge'] } }));
  scene.sendPlan(TO_EDGE, scene.history.head, []);
  expect(scene.numbers).toEqual([34]);
});
