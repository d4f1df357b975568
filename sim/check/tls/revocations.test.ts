import { expect, test } from 'vitest';
import type { SessionRecord } from '../../../runtime/store/records.ts';
import { keyOfObject, object, Scene } from '../scene.fixture.ts';
import { CLOSES_MS_MAX, OPENS_LATE_MS_MAX, revocationsCheck } from './revocations.ts';

const london = object('Node', 'london');
const session = (nodeUid: string): SessionRecord => ({
  ...{ nodeUid, agentVersion: 'sim', connectedSince: '' },
});

/** A Node that is deleted at 0 ms. */
function removed(): Scene {
  const scene = new Scene();
  scene.watch(revocationsCheck(scene.ports, scene.changes));
  scene.put(london);
  scene.remove(keyOfObject(london));
  return scene;
}

function talk(scene: Scene, dom: string, nodeUid = 'Node-london'): void {
  const frame = { node: 'london', nodeUid, from: 'dom', dom, bytes: new Uint8Array() } as const;
  scene.tell((check) => check.sent?.(frame));
}

test('a session that was under way may open, and one of another Node of that name', () => {
  const scene = removed();
  scene.nowMs = OPENS_LATE_MS_MAX;
  scene.putRecord('session', 'london', session('Node-london'));
  scene.nowMs = 2 * OPENS_LATE_MS_MAX;
  scene.putRecord('session', 'london', session('another'));
  expect(scene.violations).toEqual([]);
});

test('INV-36 when a session opens long after the deletion', () => {
  const scene = removed();
  scene.nowMs = OPENS_LATE_MS_MAX + 1;
  scene.putRecord('session', 'london', session('Node-london'));
  expect(scene.numbers).toEqual([36]);
});

test('a dom that does not know of the deletion yet may talk on', () => {
  const scene = removed();
  scene.nowMs = 2 * CLOSES_MS_MAX;
  talk(scene, 'dom-1#1');
  scene.show('dom-1#1');
  talk(scene, 'dom-1#1');
  scene.nowMs += CLOSES_MS_MAX;
  talk(scene, 'dom-1#1');
  expect(scene.violations).toEqual([]);
});

test('INV-36 when a dom talks on that has known of it for long, also a later leader', () => {
  const scene = removed();
  scene.show('dom-1#1');
  scene.nowMs = CLOSES_MS_MAX + 1;
  scene.show('dom-2#1');
  talk(scene, 'dom-2#1');
  expect(scene.violations).toEqual([]);
  talk(scene, 'dom-1#1');
  expect(scene.numbers).toEqual([36]);
  scene.nowMs += CLOSES_MS_MAX + 1;
  talk(scene, 'dom-2#1');
  expect(scene.numbers).toEqual([36, 36]);
});

test('another Node of that name is talked to', () => {
  const scene = removed();
  scene.show('dom-1#1');
  scene.nowMs = CLOSES_MS_MAX + 1;
  talk(scene, 'dom-1#1', 'another');
  expect(scene.violations).toEqual([]);
});
