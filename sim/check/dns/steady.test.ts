import { expect, test } from 'vitest';
import { watched } from './dns.fixture.ts';
import { steadyCheck } from './steady.ts';

test.each([
  { when: 'the same', views: ['a\nb', 'a\nb'], found: [] },
  {
    when: 'INV-2: other',
    views: ['a\nb', 'a\nc'],
    found: ['INV-2: at rest an answer changes from b to c'],
  },
])('$when answers a minute later', async ({ views, found }) => {
  const left = [...views];
  const it = watched((ports) => steadyCheck({ ...ports, view: async () => left.shift() ?? '' }));
  await it.check.settled?.();
  await it.check.rested?.();
  expect(it.found).toEqual(found);
});
