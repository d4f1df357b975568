import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type LogFields, silentLog } from '../../runtime/log.ts';
import type { Identity } from '../../runtime/tls/authority.ts';
import type { ApiCaller } from '../api/service.ts';
import { ADMIN, type DomScene, domScene, siteNamed } from '../test-scene.ts';
import { USER_CERTIFICATES_MAX } from './users.ts';

let scene: DomScene;
beforeEach(async () => {
  scene = await domScene();
  await scene.apply(siteNamed('blog'));
});
afterEach(() => scene.stop());

const DAY_MS = 86_400_000;
const REVOKED = { code: 'UNAUTHENTICATED', message: expect.stringMatching(/was revoked by admin/) };
const ALL = { kind: 'Site', namespace: '', labelSelector: '' };
const LIST = { ...ALL, revision: 0n, limit: 0, continue: '' };

describe('a user who was revoked', () => {
  test('is refused from then on, and let in again with a new certificate', async () => {
    const { api } = scene.term;
    const before = await caller('ada');
    expect((await api.list(LIST, before)).objectsJson).toHaveLength(1);
    await api.revokeUser({ name: 'ada', unlisted: false }, ADMIN);
    await expect(api.list(LIST, before)).rejects.toMatchObject(REVOKED);
    await expect(api.getServerInfo({}, before)).rejects.toMatchObject(REVOKED);
    const after = await caller('ada');
    expect((await api.list(LIST, after)).objectsJson).toHaveLength(1);
    await expect(api.list(LIST, before)).rejects.toMatchObject(REVOKED);
  });

  test('loses all certificates of that name, and nobody else does', async () => {
    const { api } = scene.term;
    const [first, second, other] = [await caller('ada'), await caller('ada'), await caller('bob')];
    await api.revokeUser({ name: 'ada', unlisted: false }, ADMIN);
    for (const each of [first, second])
      await expect(api.list(LIST, each)).rejects.toMatchObject(REVOKED);
    await api.list(LIST, other);
    await api.list(LIST, ADMIN);
  });

  test('has a watch that goes on ended, with the reason', async () => {
    const { api } = scene.term;
    const ada = await caller('ada');
    const request = { kind: 'Site', namespace: '', labelSelector: '', name: '', afterRevision: 0n };
    const seen: string[] = [];
    const ended = (async () => {
      for await (const { type } of api.watch(request, ada, new AbortController().signal))
        seen.push(type);
    })();
    const outcome = ended.catch((error: unknown) => error);
    await scene.clock.advance(100);
    await api.revokeUser({ name: 'ada', unlisted: false }, ADMIN);
    expect(await outcome).toMatchObject(REVOKED);
    expect(seen).toContain('synced');
  });

  test('cannot go on with an upload that is under way', async () => {
    const { api } = scene.term;
    const ada = await caller('ada', 'admin');
    async function* pieces() {
      await api.revokeUser({ name: 'ada', unlisted: false }, ADMIN);
      yield { digest: `sha256-${'0'.repeat(64)}`, sizeBytes: 1n } as never;
    }
    await expect(api.uploadBlob(pieces(), ada)).rejects.toMatchObject(REVOKED);
  });

  test('stays revoked when another dom takes over', async () => {
    const ada = await caller('ada');
    await scene.term.api.revokeUser({ name: 'ada', unlisted: false }, ADMIN);
    scene.stop();
    await scene.clock.advance(60_000);
    const { store, clock } = scene;
    scene = await domScene({ store, clock });
    await expect(scene.term.api.list(LIST, ada)).rejects.toMatchObject(REVOKED);
  });
});

describe('a certificate that no list shows, of an older dom', () => {
  const OLD: ApiCaller = {
    identity: { kind: 'user', name: 'old', role: 'viewer', serial: '4a' },
  };

  test('is good until its name is revoked by force', async () => {
    const { api } = scene.term;
    await api.list(LIST, OLD);
    const plain = api.revokeUser({ name: 'old', unlisted: false }, ADMIN);
    await expect(plain).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringMatching(/no user "old" is known: see b8sctl user list/),
    });
    await api.list(LIST, OLD);
    await api.revokeUser({ name: 'old', unlisted: true }, ADMIN);
    await expect(api.list(LIST, OLD)).rejects.toMatchObject(REVOKED);
  });

  test('stays good when the same name is given another one', async () => {
    const next = await caller('old');
    for (const each of [OLD, next]) await scene.term.api.list(LIST, each);
  });
});

test('the list says who has what, and who lost it', async () => {
  const { api } = scene.term;
  await caller('ada', 'admin');
  await caller('bob', 'viewer', 1);
  await caller('eve');
  await api.revokeUser({ name: 'eve', unlisted: false }, ADMIN);
  const shown = async () =>
    (await api.listUsers({}, ADMIN)).users.map(({ name, certificates, revokedBy }) => [
      ...[name, certificates.map(({ role }) => role).join(), revokedBy],
    ]);
  expect(await shown()).toEqual([
    ['ada', 'admin', ''],
    ['bob', 'viewer', ''],
    ['eve', '', 'admin'],
  ]);
  await scene.clock.advance(2 * DAY_MS);
  expect((await shown()).map(([name]) => name)).toEqual(['ada', 'eve']);
});

test('it is written down who has revoked whom', async () => {
  scene.stop();
  const audited: LogFields[] = [];
  const info = (fields: LogFields, message: string) => {
    if (message === 'audit') audited.push(fields);
  };
  scene = await domScene({ log: { ...silentLog, info } });
  await caller('ada');
  await scene.term.api.revokeUser({ name: 'ada', unlisted: false }, ADMIN);
  expect(audited).toContainEqual({ user: 'admin', verb: 'revoke', for: 'ada' });
});

test.each(['', 'a/b', 'dom', '../admin'])('%j is no name to revoke', async (name) => {
  const revoking = scene.term.api.revokeUser({ name, unlisted: true }, ADMIN);
  await expect(revoking).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
});

test('a viewer revokes nobody', async () => {
  const eve = await caller('eve');
  const revoking = scene.term.api.revokeUser({ name: 'eve', unlisted: false }, eve);
  await expect(revoking).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
});

test('no more certificates of one user are kept than one can look through', async () => {
  for (let i = 0; i < USER_CERTIFICATES_MAX; i += 1)
    await scene.term.api.createUser({ name: 'ci', role: 'viewer', days: 1 }, ADMIN);
  await expect(caller('ci')).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
  await scene.clock.advance(2 * DAY_MS);
  await caller('ci');
});

/** One who calls with a certificate that dom has just issued. */
async function caller(name: string, role = 'viewer', days = 0): Promise<ApiCaller> {
  await scene.term.api.createUser({ name, role, days }, ADMIN);
  const { users } = await scene.term.api.listUsers({}, ADMIN);
  const serial = users.find((user) => user.name === name)?.certificates.at(-1)?.serial ?? '';
  const identity = { kind: 'user', name, role, serial } as Identity;
  return { identity };
}
