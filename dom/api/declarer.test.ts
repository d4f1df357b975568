import { expect, test } from 'vitest';
import type { Release } from '../../api/release.ts';
import type { Site } from '../../api/site.ts';
import type { Beside, Declarer } from '../../runtime/declarer.ts';
import { silentLog } from '../../runtime/log.ts';
import { systemRandom } from '../../runtime/node/random.ts';
import { memoryStore } from '../../runtime/store/memory-store.ts';
import { owning, Writer } from '../../runtime/store/writer.ts';
import { virtualClock } from '../../runtime/test-clock.ts';
import { createSealer } from '../identity/sealer.ts';
import { createDeclarer } from './declarer.ts';
import { readObject } from './names.ts';

const RELEASE = `sha256-${'1'.repeat(64)}`;

async function scene() {
  const clock = virtualClock();
  const random = systemRandom();
  const store = memoryStore({ clock });
  const writer = new Writer({ store, clock, random, fence: () => [] });
  const sealer = createSealer({ key: random.bytes(32), random });
  const declarer = createDeclarer({ store, writer, clock, random, sealer, log: silentLog });
  const metadata = { namespace: 'default', name: RELEASE };
  const spec = { site: 'blog', files: 1, sizeBytes: 1 };
  const author = { manager: 'b8sctl', user: 'admin' };
  const created = { kind: 'create', object: { kind: 'Release', metadata, spec } } as const;
  await writer.commit([created], author);
  const read = async <Kind>(kind: 'Release' | 'Site', name: string): Promise<Kind> =>
    (await readObject(store, { kind, namespace: 'default', name })) as Kind;
  const owners = async () =>
    (await read<Release>('Release', RELEASE)).metadata.ownerReferences?.map(({ name }) => name);
  return { declarer, read, owners };
}

function declare(declarer: Declarer, name: string, beside: Beside = () => []): Promise<string> {
  const spec = { hosts: [`${name}.example.com`], content: { release: RELEASE } };
  const object = {
    ...{ apiVersion: 'b8s.dev/v1', kind: 'Site', metadata: { namespace: 'default', name }, spec },
  };
  const request = { object, manager: 'repository', command: 'apply', values: 'plain' } as const;
  return declarer.apply({ ...request, mayTakeOver: () => false }, beside);
}

test('a Site owns the release that it names from its first write on', async () => {
  const { declarer, owners } = await scene();
  expect(await declare(declarer, 'blog')).toBe('created');
  expect(await declare(declarer, 'copy')).toBe('created');
  expect(await owners()).toEqual(['blog', 'copy']);
  expect(await declare(declarer, 'copy')).toBe('unchanged');
});

test('whoever writes the release beside it has the say', async () => {
  const { declarer, read, owners } = await scene();
  const release = await read<Release>('Release', RELEASE);
  const beside: Beside = ({ uid }) => [owning(release, { kind: 'Site', name: 'mine', uid })];
  expect(await declare(declarer, 'blog', beside)).toBe('created');
  expect(await owners()).toEqual(['mine']);
  expect((await read<Site>('Site', 'blog')).spec.content?.release).toBe(RELEASE);
});
