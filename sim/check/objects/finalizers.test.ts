import { expect, test } from 'vitest';
import { watched } from '../dns/dns.fixture.ts';
import { finalizersCheck } from './finalizers.ts';

const key = '/b8s/sites/default/blog';

test.each([
  { when: 'it has no finalizers', finalizers: undefined, done: [], found: [] },
  { when: 'who had to clean up is done', finalizers: ['a/b'], done: ['uid-1'], found: [] },
  {
    when: 'somebody has still to clean up',
    finalizers: ['a/b'],
    done: ['uid-2'],
    found: [`INV-16: ${key} goes while a/b is still to be done`],
  },
])('an object goes: $when', ({ finalizers, done, found }) => {
  const it = watched(finalizersCheck);
  for (const uid of done) it.check.letGo?.(uid);
  const value = JSON.stringify({ metadata: { uid: 'uid-1', finalizers } });
  const item = { key, value, createRevision: 1n, modRevision: 1n };
  const transaction = { guards: [], writes: [{ kind: 'delete', key }] } as const;
  const before = new Map([[key, item]]);
  it.check.committed?.({ revision: 2n, transaction, before, process: 'dom#1' });
  expect(it.found).toEqual(found);
});
