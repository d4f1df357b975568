import { expect, test } from 'vitest';
import type { ZoneRecord } from '../../../runtime/store/records.ts';
import { keyOfObject, object, Scene } from '../scene.fixture.ts';
import { servingCheck } from './serving.ts';

/** London is nameserver and edge; it serves a site `blog` that it is named for. */
function world(): Scene {
  const scene = new Scene();
  scene.watch(servingCheck({ ...scene.ports, disks: () => new Map(), mayMisread: () => false }));
  scene.put(object('Node', 'london'));
  scene.put(object('Site', 'blog'));
  name(scene, 'Node-london');
  apply(scene);
  return scene;
}

/** Writes a version of the zone that has this Node as the candidate london. */
function name(scene: Scene, uid: string, more: object = {}): void {
  const named = { name: 'blog.example.test', siteUid: 'Site-blog', candidates: ['london'] };
  const geoName = { ...named, ...more };
  const zone = { geoNames: [geoName], nodeUids: { london: uid } } as unknown as ZoneRecord;
  scene.putRecord('zone', 'default/example-test', zone);
}

/** London serves the plan of now. */
function apply(scene: Scene): void {
  const position = { epoch: 1n, revision: scene.history.head };
  scene.tell((check) => check.moved?.({ node: 'london', which: 'applied', position }));
}

function fails(scene: Scene): void {
  const answer = { status: 503, headers: [], body: '' };
  const exchange = { node: 'london', host: 'blog.example.test', path: '/', answer };
  scene.tell((check) => check.requested?.({ ...exchange, namedBy: 'london' }));
}

test('whoever is named for a site answers (INV-28)', () => {
  const scene = world();
  fails(scene);
  expect(scene.violations).toEqual(['28 london names london for blog, which answers 503']);
});

test('a nameserver that does not know that the site went is behind', () => {
  const scene = world();
  scene.remove(keyOfObject(object('Site', 'blog')));
  fails(scene);
  expect(scene.violations).toEqual([]);
});

test('so is one whose zone means another Node of that name, until it is written anew', () => {
  const scene = world();
  scene.remove(keyOfObject(object('Node', 'london')));
  scene.put(object('Node', 'london', { uid: 'another' }));
  fails(scene);
  apply(scene);
  fails(scene);
  // By a dom that had not seen it.
  name(scene, 'Node-london');
  apply(scene);
  fails(scene);
  expect(scene.violations).toEqual([]);
  name(scene, 'another');
  fails(scene);
  expect(scene.violations).toEqual([]);
  apply(scene);
  fails(scene);
  expect(scene.violations).toEqual(['28 london names london for blog, which answers 503']);
});

test('who stands in while a CA looks for a proof serves nothing yet', () => {
  const scene = world();
  name(scene, 'Node-london', { standIn: 'proof' });
  apply(scene);
  fails(scene);
  expect(scene.violations).toEqual([]);
  name(scene, 'Node-london');
  apply(scene);
  fails(scene);
  expect(scene.violations).toHaveLength(1);
});
