import { expect, test } from 'vitest';
import { type ObjectParts, object, Scene } from '../scene.fixture.ts';
import { poisonCheck } from './poison.ts';

const ready = (parts: object = {}): NonNullable<ObjectParts['status']> => ({
  conditions: [
    {
      ...{ type: 'Ready', status: 'False' as const, reason: 'ReleaseNotFound' },
      ...{ message: 'push it', lastTransitionTime: '', observedGeneration: 1, ...parts },
    },
  ],
});

test.each<{ when: string; status?: ReturnType<typeof ready> | 'no site'; violated: number }>([
  { when: 'it says why it is not ready', status: ready(), violated: 0 },
  { when: 'it is gone', status: 'no site', violated: 1 },
  { when: 'it says nothing', violated: 1 },
  { when: 'it is said to be ready', status: ready({ status: 'True' }), violated: 1 },
  { when: 'it gives no reason', status: ready({ reason: '' }), violated: 1 },
  { when: 'it has no words', status: ready({ message: '' }), violated: 1 },
  { when: 'what it says is of before', status: ready({ observedGeneration: 0 }), violated: 1 },
])('INV-5 and an impossible site: $when', ({ status, violated }) => {
  const scene = new Scene();
  const poisoned = () => new Set(['poison-1']);
  scene.watch(poisonCheck(scene.ports, { history: scene.history, poisoned }));
  if (status !== 'no site')
    scene.put(object('Site', 'poison-1', status === undefined ? {} : { status }));
  scene.tell((check) => check.rested?.());
  expect(scene.numbers).toEqual(Array.from({ length: violated }, () => 5));
});
