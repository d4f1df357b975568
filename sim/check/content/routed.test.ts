import { expect, test } from 'vitest';
import { httpProof, testOrder } from '../../../runtime/acme/order.fixture.ts';
import type { Digest } from '../../../runtime/content/digest.ts';
import { LEADER_KEY, recordKey } from '../../../runtime/store/keys.ts';
import type { ZoneRecord } from '../../../runtime/store/records.ts';
import { keyOfObject, object, Scene } from '../scene.fixture.ts';
import { routedCheck } from './routed.ts';

const R1: Digest = `sha256-${'1'.repeat(64)}`;
const R2: Digest = `sha256-${'2'.repeat(64)}`;

function world(): Scene {
  const scene = new Scene();
  scene.watch(routedCheck(scene.ports, scene.history));
  scene.put(object('Node', 'london'), object('Node', 'paris'));
  return scene;
}

function switchTo(scene: Scene, release: Digest): void {
  scene.put(object('Site', 'blog', { status: { release } }));
}

function report(scene: Scene, node: string, ...verified: readonly Digest[]): void {
  const site = { uid: 'Site-blog', generation: 1, serving: R1, verified, certificate: 'c' };
  scene.putRecord('report', node, { nodeUid: `Node-${node}`, sites: [site] } as never);
}

function name(scene: Scene, ...candidates: readonly string[]): void {
  const geoName = { name: 'blog.test', siteUid: 'Site-blog', candidates };
  const nodeUids = Object.fromEntries(candidates.map((node) => [node, `Node-${node}`]));
  const zone = { geoNames: [geoName], nodeUids } as unknown as ZoneRecord;
  scene.putRecord('zone', 'default/test', zone);
}

/** Paris has what dom has switched to just now, London only what it was before; both are named. */
function switchedWorld(): Scene {
  const scene = world();
  report(scene, 'london', R1);
  report(scene, 'paris', R1, R2);
  switchTo(scene, R1);
  name(scene, 'london', 'paris');
  switchTo(scene, R2);
  return scene;
}

/** Another machine has the name now. */
function replace(scene: Scene, node: string): void {
  scene.remove(keyOfObject(object('Node', node)));
  scene.remove(recordKey('report', node));
  scene.put(object('Node', node, { uid: 'another' }));
}

test('nodes that have verified what dom switched to are named', () => {
  const scene = world();
  switchTo(scene, R1);
  report(scene, 'london', R1);
  name(scene, 'london');
  report(scene, 'paris', R1, R2);
  name(scene, 'london', 'paris');
  expect(scene.violations).toEqual([]);
});

test('what a node had that was removed a moment ago is no better than an older release', () => {
  const scene = world();
  switchTo(scene, R1);
  report(scene, 'london', R1);
  switchTo(scene, R2);
  report(scene, 'paris', R2);
  name(scene, 'paris');
  scene.remove(keyOfObject(object('Node', 'paris')));
  name(scene, 'london');
  expect(scene.violations).toEqual([]);
});

test('a node that has only the release before is not named any more', () => {
  const scene = switchedWorld();
  // Written by a dom that has not seen the switch yet.
  name(scene, 'london', 'paris');
  expect(scene.violations).toEqual([]);
  name(scene, 'london', 'paris');
  expect(scene.violations).toEqual(['28 commit 9 by dom#1 names london for blog.test unverified']);
});

test('where nobody has it, those named before are named on', () => {
  const scene = world();
  report(scene, 'london', R1);
  switchTo(scene, R2);
  name(scene, 'london');
  expect(scene.violations).toEqual([]);
});

test('a later Node of the name is another, and has nothing of what the first one had', () => {
  const scene = world();
  switchTo(scene, R1);
  report(scene, 'london', R1);
  name(scene, 'london');
  replace(scene, 'london');
  // Written by a dom that has not seen it yet.
  name(scene, 'london');
  expect(scene.violations).toEqual([]);
  name(scene, 'london');
  expect(scene.violations).toEqual(['28 commit 10 by dom#1 names london for blog.test unverified']);
});

test('a dom that leaves the name to another Node is late', () => {
  const scene = world();
  switchTo(scene, R1);
  report(scene, 'london', R1);
  name(scene, 'london');
  replace(scene, 'london');
  scene.nowMs += 31_000;
  report(scene, 'paris', R1);
  expect(scene.violations).toEqual(['28 dom#1 leaves london named for blog.test unverified']);
});

test('a dom that leaves a version as it is, is late', () => {
  const scene = switchedWorld();
  scene.nowMs += 29_000;
  report(scene, 'paris', R2);
  expect(scene.violations).toEqual([]);
  scene.nowMs += 2_000;
  report(scene, 'paris', R2);
  expect(scene.violations).toEqual(['28 dom#1 leaves london named for blog.test unverified']);
});

test('a dom that has only begun to lead again is not', () => {
  const scene = switchedWorld();
  scene.nowMs += 31_000;
  scene.commit([{ kind: 'put', key: LEADER_KEY, value: '{}' }]);
  expect(scene.violations).toEqual([]);
});

function standIn(scene: Scene, node: string): void {
  const geoName = { name: 'blog.test', siteUid: 'Site-blog', candidates: [node], standIn: 'proof' };
  const zone = { geoNames: [geoName], nodeUids: { [node]: `Node-${node}` } };
  scene.putRecord('zone', 'default/test', zone as unknown as ZoneRecord);
}

test('while a CA looks for a proof who has it stands in, and nobody else', () => {
  const scene = world();
  scene.put(object('Site', 'blog'));
  scene.putRecord('report', 'london', {
    nodeUid: 'Node-london',
    sites: [],
    challenges: ['t1'],
  } as never);
  const order = testOrder([{ name: 'blog.test', proof: httpProof('t1') }]);
  scene.putRecord('acmeOrder', 'uid-1', order);
  standIn(scene, 'london');
  expect(scene.violations).toEqual([]);
  standIn(scene, 'paris');
  standIn(scene, 'paris');
  expect(scene.violations.at(-1)).toMatch(/^28 .* names paris for blog\.test unverified$/u);
});

test.each([
  {
    when: 'the order is gone',
    end: (scene: Scene) => scene.remove(recordKey('acmeOrder', 'uid-1')),
  },
  { when: 'the site is served', end: (scene: Scene) => report(scene, 'paris', R1) },
])('nobody stands in once $when', ({ end }) => {
  const scene = world();
  switchTo(scene, R1);
  scene.putRecord('report', 'london', {
    nodeUid: 'Node-london',
    sites: [],
    challenges: ['t1'],
  } as never);
  const order = testOrder([{ name: 'blog.test', proof: httpProof('t1') }]);
  scene.putRecord('acmeOrder', 'uid-1', order);
  standIn(scene, 'london');
  expect(scene.violations).toEqual([]);
  end(scene);
  // By a dom that has not seen it yet.
  standIn(scene, 'london');
  expect(scene.violations).toEqual([]);
  standIn(scene, 'london');
  expect(scene.violations).toHaveLength(1);
});
