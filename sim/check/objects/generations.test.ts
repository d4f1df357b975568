import { expect, test } from 'vitest';
import type { Resource } from '../../../api/object.ts';
import { keyOfObject, object, Scene } from '../scene.fixture.ts';
import { generationsCheck } from './generations.ts';

const observing = (generation: number) => ({
  observedGeneration: generation,
  conditions: [
    {
      ...{ type: 'Ready', status: 'True' as const, reason: 'R', message: 'm' },
      ...{ lastTransitionTime: '', observedGeneration: generation },
    },
  ],
});
const site = (parts: Parameters<typeof object>[2]) => object('Site', 'blog', parts);

test.each<{ when: string; puts: readonly (Resource | 'gone')[]; violated: number }>([
  {
    when: 'an object lives as it should',
    puts: [
      site({ spec: 1 }),
      site({ spec: 1, status: observing(1) }),
      site({ spec: 2, generation: 2, status: observing(1) }),
      site({ spec: 2, generation: 2, status: observing(2) }),
      'gone',
      site({ uid: 'other', spec: 2 }),
    ],
    violated: 0,
  },
  { when: 'it begins with generation 2', puts: [site({ generation: 2 })], violated: 1 },
  {
    when: 'its spec changes and its generation does not',
    puts: [site({ spec: 1 }), site({ spec: 2 })],
    violated: 1,
  },
  {
    when: 'its generation grows and its spec does not change',
    puts: [site({}), site({ generation: 2 })],
    violated: 1,
  },
  {
    when: 'its generation grows by two',
    puts: [site({ spec: 1 }), site({ spec: 2, generation: 3 })],
    violated: 1,
  },
  { when: 'its uid changes', puts: [site({}), site({ uid: 'other' })], violated: 1 },
  { when: 'its uid comes back', puts: [site({}), 'gone', site({})], violated: 1 },
  {
    when: 'it is created twice',
    puts: [site({}), site({ creationTimestamp: '2027-01-01T00:00:00.000Z' })],
    violated: 1,
  },
  { when: 'its status is ahead of it', puts: [site({ status: observing(2) })], violated: 1 },
  {
    when: 'what was observed goes back',
    puts: [
      site({ spec: 1 }),
      site({ spec: 2, generation: 2, status: observing(2) }),
      site({ spec: 2, generation: 2, status: observing(1) }),
    ],
    violated: 1,
  },
])('INV-18 when $when', ({ puts, violated }) => {
  const scene = new Scene();
  scene.watch(generationsCheck(scene.ports, scene.changes));
  for (const put of puts)
    if (put === 'gone') scene.remove(keyOfObject(site({})));
    else scene.put(put);
  expect(scene.violations).toHaveLength(violated);
  expect(new Set(scene.numbers)).toEqual(new Set(violated === 0 ? [] : [18]));
});
