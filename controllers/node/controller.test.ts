import { expect, test } from 'vitest';
import { condition } from '../../api/object.ts';
import { type Scene, scene } from '../test-scene.ts';
import { nodeController } from './controller.ts';

function readiness(world: Scene, name: string): string {
  const node = world.world.get('Node', { name });
  const ready = node === undefined ? undefined : condition(node, 'Ready');
  return `${ready?.status} ${ready?.reason}`;
}

test('a node connects, falls silent and comes back', async () => {
  const at = await scene();
  at.start(nodeController(at));
  await at.node('a');
  expect(readiness(at, 'a')).toBe('Unknown NeverConnected');
  await at.connect('a');
  expect(readiness(at, 'a')).toBe('True NodeConnected');
  await at.disconnect('a');
  expect(readiness(at, 'a')).toBe('False NodeSilent');
  await at.connect('a');
  expect(readiness(at, 'a')).toBe('True NodeConnected');
  expect(at.events.notes.map(({ type, reason }) => `${type} ${reason}`)).toEqual([
    'Normal NodeConnected',
    'Warning NodeSilent',
    'Normal NodeConnected',
  ]);
  await at.end();
});

test('what a namesake left behind does not count and is removed', async () => {
  const at = await scene();
  at.start(nodeController(at));
  await at.node('a');
  await at.connect('a');
  await at.report('a', {});
  await at.remove('Node', 'a');
  expect(at.world.record('report', 'a')).toBeUndefined();
  await at.node('a');
  expect(readiness(at, 'a')).toBe('Unknown NeverConnected');
  await at.end();
});

test('at the fixed point nothing is written (INV-2)', async () => {
  const at = await scene();
  at.start(nodeController(at));
  await at.node('a');
  await at.node('b');
  await at.connect('a');
  await at.report('a', {});
  const revision = await at.revision();
  at.start(nodeController(at));
  await at.clock.advance(3_600_000);
  expect(await at.revision()).toBe(revision);
  await at.end();
});
