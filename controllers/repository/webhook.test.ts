import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Repository } from '../../api/repository.ts';
import { secretContext } from '../../runtime/secret/secrets.ts';
import { type Scene, scene } from '../test-scene.ts';
import { commitStatus, webhookStatus } from './webhook.ts';

const COMMIT = 'a'.repeat(40);

let at: Scene;
beforeEach(async () => {
  at = await scene();
});
afterEach(() => at.end());

async function repository(spec: object): Promise<Repository> {
  await at.create('Repository', 'infra', { url: 'https://git.example.com/infra.git', ...spec });
  const found = at.world.get('Repository', { namespace: 'default', name: 'infra' });
  if (found === undefined) throw new Error('no Repository');
  return found;
}

const hook = { webhook: { secretRef: 'hook' } };

function status(of: Repository): Repository['status'] {
  const hookAddresses = ['two.example.com:7443', 'one.example.com:7443'];
  const found = webhookStatus({ ...at, hookAddresses }, of);
  return found && { webhook: found };
}

test('who asked for none is told of none', async () => {
  const of = await repository({});
  expect(status(of)).toBeUndefined();
  expect(commitStatus(at.world, of)).toBeUndefined();
});

test('the URLs of all doms, in the same order at each, and when it was called last', async () => {
  const context = secretContext({ namespace: 'default', name: 'hook', key: 'secret' });
  await at.create('Secret', 'hook', { data: { secret: at.sealer.seal('key', context) } });
  const of = await repository(hook);
  const urls = ['one', 'two'].map((name) => `https://${name}.example.com:7443/hooks/default/infra`);
  expect(status(of)).toEqual({ webhook: { urls } });
  const time = '2026-11-22T03:04:05.000Z';
  const value = { name: 'default/infra', time, deliveries: ['body:x'] };
  await at.put('repositoryHook', of.metadata.uid, value);
  expect(status(of)).toEqual({ webhook: { urls, lastCall: time } });
});

test.each([
  { when: 'there is no Secret', data: undefined, problem: /^Secret default\/hook is not there/ },
  { when: 'it has no secret', data: { token: 'x' }, problem: /has no "secret"$/ },
  {
    when: 'it was sealed with another key',
    data: { secret: 'another' },
    problem: /^Secret "default\/hook": secret was sealed with another seal key/,
  },
])('why no call can be taken, when $when', async ({ data, problem }) => {
  if (data !== undefined) await at.create('Secret', 'hook', { data });
  expect(status(await repository(hook))?.webhook?.problem).toMatch(problem);
});

test('what the Git host was told last, and what is in the way', async () => {
  const of = await repository({ commitStatus: { provider: 'github', secretRef: 'host' } });
  expect(commitStatus(at.world, of)).toEqual({});
  const told = [
    { commit: COMMIT, state: 'success', description: 'd', how: 'told' },
    { commit: 'b'.repeat(40), state: 'pending', description: 'd', how: 'given up' },
  ] as const;
  const trouble = {
    ...{ failures: 1, nextMs: Date.UTC(2026, 0, 2), error: 'no', key: '1/2' },
    ...({ commit: COMMIT, state: 'failure', sinceMs: 0 } as const),
  };
  await at.put('repositoryTold', of.metadata.uid, { name: 'default/infra', told, trouble });
  expect(commitStatus(at.world, of)).toEqual({
    ...{ commit: COMMIT, state: 'success', lastError: 'no', nextTry: '2026-01-02T00:00:00.000Z' },
  });
});
