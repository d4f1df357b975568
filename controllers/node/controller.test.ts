import { expect, test } from 'vitest';
import { condition } from '../../api/object.ts';
import { eventName } from '../../runtime/control/events.ts';
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

test('a node that comes and goes is told of in two Events, counted', async () => {
  const at = await scene();
  at.start(nodeController(at));
  await at.node('a');
  for (let flaps = 0; flaps < 5; flaps += 1) {
    await at.connect('a');
    await at.clock.advance(10_000);
    await at.disconnect('a');
    await at.clock.advance(10_000);
  }
  expect(at.events.notes.length).toBe(10);
  const names = at.events.notes.map((note) => eventName(note, 0));
  expect(new Set(names).size).toBe(2);
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
