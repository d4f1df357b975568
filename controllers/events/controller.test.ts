import { expect, test } from 'vitest';
import type { Event } from '../../api/event.ts';
import { object, scene } from '../test-scene.ts';
import { eventsController } from './controller.ts';
import { EVENT_KEPT_MS, removeInMs } from './plan.ts';

const NOW_MS = 1_800_000_000_000;

function spec(lastMs: number) {
  const lastTime = new Date(lastMs).toISOString();
  return {
    regarding: { kind: 'Node', name: 'a' },
    type: 'Normal',
    reason: 'R',
    message: 'm',
    source: { component: 'c' },
    count: 1,
    firstTime: lastTime,
    lastTime,
  };
}

test.each([
  { when: 'it has just happened', lastMs: NOW_MS, inMs: EVENT_KEPT_MS },
  { when: 'a moment is left', lastMs: NOW_MS - EVENT_KEPT_MS + 1, inMs: 1 },
  { when: 'its time has come', lastMs: NOW_MS - EVENT_KEPT_MS, inMs: 0 },
  { when: 'it is older', lastMs: 0, inMs: 0 },
  { when: 'it lies in the future', lastMs: NOW_MS + 1e9, inMs: EVENT_KEPT_MS },
])('removeInMs when $when', ({ lastMs, inMs }) => {
  const event: Event = object('Event', 'e', spec(lastMs));
  expect(removeInMs(event, NOW_MS)).toBe(inMs);
});

test('events go after a week, with no further event', async () => {
  const at = await scene();
  at.start(eventsController(at));
  await at.create('Event', 'old', spec(at.clock.nowMs() - EVENT_KEPT_MS + 60_000));
  await at.create('Event', 'new', spec(at.clock.nowMs()));
  const kept = () => at.world.list('Event').map(({ metadata }) => metadata.name);
  expect(kept()).toEqual(['new', 'old']);
  await at.clock.advance(60_000);
  await at.settle();
  expect(kept()).toEqual(['new']);
  await at.end();
});
