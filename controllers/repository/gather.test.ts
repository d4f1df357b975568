import { expect, test } from 'vitest';
import type { Repository } from '../../api/repository.ts';
import { type Scene, scene } from '../test-scene.ts';
import { type CommitSet, type Facts, nameOfKey } from './facts.ts';
import { factsOf } from './gather.ts';
import { Comparisons } from './plan/comparisons.ts';
import { Keepers } from './plan/keepers.ts';

const COMMIT = 'a'.repeat(40);
const [MOVED, GONE] = ['Issuer//moved', 'Issuer//gone'];

const setOf = (...keys: readonly string[]): CommitSet => ({
  ...{ commit: COMMIT, subject: 'S', problems: [] },
  desired: keys.map((key) => {
    const { kind, name } = nameOfKey(key);
    const object = { apiVersion: 'b8s.dev/v1', kind, metadata: { name }, spec: {} };
    return { key, object, file: 'f.yaml', locate: () => 1 };
  }),
});

/** Of `one`, which declares neither; `two` has read the commit, which declares one of them for it. */
async function factsBeside(two: object): Promise<Facts> {
  const at: Scene = await scene();
  try {
    const url = 'https://git.example.com/infra.git';
    await at.create('Repository', 'one', { url, path: 'one' });
    await at.create('Repository', 'two', { url, path: 'two', ...two });
    await at.settle();
    const name = { namespace: 'default', name: 'one' };
    const repository = at.world.get('Repository', name) as Repository;
    const sets = new Map([
      ['default/one', setOf('Issuer//own')],
      ['default/two', setOf(MOVED)],
    ]);
    return factsOf(at.world, {
      ...{ repository, verdict: undefined, trouble: undefined },
      keepers: Keepers.of(at.world),
      comparisons: new Comparisons(at.sealer),
      setOf: (of, commit) => (commit === COMMIT ? sets.get(of) : undefined),
      remote: {
        ...{ head: COMMIT, set: setOf('Issuer//own'), failure: undefined, request: undefined },
        ...{ phase: 'idle', nextInMs: Infinity },
      },
    });
  } finally {
    await at.end();
  }
}

test('what goes to another Repository, and what that one gives up, by a commit that both have read', async () => {
  const facts = await factsBeside({});
  expect(facts.unread(COMMIT)).toBeUndefined();
  expect([MOVED, GONE].map(facts.claimant)).toEqual(['default/two', undefined]);
  expect([MOVED, GONE].map((key) => facts.gives('default/two', key))).toEqual([false, true]);
});

test('one that was suspended since is to have what the commit declares for it, and gives nothing up', async () => {
  const facts = await factsBeside({ suspend: true });
  expect([MOVED, GONE].map(facts.claimant)).toEqual(['default/two', undefined]);
  expect([MOVED, GONE].map((key) => facts.gives('default/two', key))).toEqual([false, false]);
});
