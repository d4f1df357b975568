import { afterEach, beforeEach, expect, test } from 'vitest';
import { condition, type Resource } from '../api/object.ts';
import type { Repository } from '../api/repository.ts';
import { fakeGit } from '../runtime/git/fake/fake-git.ts';
import { FakeRemote, type FakeSign } from '../runtime/git/fake/remote.ts';
import { sshKey } from '../runtime/git/signature/ssh-key.fixture.ts';
import { type VirtualClock, virtualClock } from '../runtime/test-clock.ts';
import { ADMIN, type DomScene, domScene } from './test-scene.ts';

const URL = 'https://git.example.com/infra.git';
const ada = sshKey('ada');
const eve = sshKey('eve');

let clock: VirtualClock;
let remote: FakeRemote;
let at: DomScene;

beforeEach(async () => {
  clock = virtualClock();
  remote = new FakeRemote();
  at = await domScene({ clock, git: fakeGit({ remotes: new Map([[URL, remote]]) }) });
});
afterEach(() => at.stop());

const manifest = (kind: string, name: string, spec: object): Record<string, unknown> => {
  return { apiVersion: 'b8s.dev/v1', kind, metadata: { name }, spec };
};

async function follow(spec: object): Promise<void> {
  const common = { url: URL, interval: '1m', timeout: '30s' };
  await at.apply(manifest('Repository', 'infra', { ...common, ...spec }));
  await settle(3);
}

async function settle(seconds: number): Promise<void> {
  for (let step = 0; step < seconds * 4; step += 1) await clock.advance(250);
}

/** A commit that declares one Issuer. */
async function push(issuer: string, sign?: FakeSign): Promise<string> {
  const file = JSON.stringify(manifest('Issuer', issuer, { ca: { lifetime: '30d' } }));
  const commit = remote.commit({ 'a.json': file }, sign === undefined ? {} : { sign });
  await settle(70);
  return commit;
}

async function find(kind: string, name: string): Promise<Resource | undefined> {
  const reference = { kind, namespace: 'default', name };
  return await at.term.api.get({ reference, revision: 0n }, ADMIN).then(
    ({ objectJson }) => JSON.parse(objectJson) as Resource,
    () => undefined,
  );
}

async function status(): Promise<Repository['status'] & { readonly ready: string }> {
  const found = (await find('Repository', 'infra')) as Repository;
  const ready = condition(found, 'Ready');
  return { ...found.status, ready: `${ready?.reason}: ${ready?.message}` };
}

const signer = (key: typeof ada, more: object = {}): object => {
  return { name: 'ada', key: key.line, ...more };
};

test('a commit that a listed signer has signed is applied, and the status says who', async () => {
  await follow({ allowMassDeletion: true, verify: { signers: [signer(ada)] } });
  await push('a', ada.sign);
  expect(await find('Issuer', 'a')).toBeDefined();
  expect((await status()).signedBy).toMatch(/^ada \(SHA256:/);
});

test.each<{ readonly when: string; readonly sign?: FakeSign; readonly says: RegExp }>([
  { when: 'nobody', says: /^NotVerified: .*commit [0-9a-f]{7} is not signed; sign it/s },
  { when: 'another', sign: eve.sign, says: /^NotVerified: .*none of the signers/s },
  {
    when: 'a signer, but another commit,',
    sign: () => ada.sign(Buffer.from('tree')),
    says: /^NotVerified: .*is not what ada/s,
  },
])('a commit that $when signed is refused whole, and nothing changes', async ({ sign, says }) => {
  await follow({ allowMassDeletion: true, verify: { signers: [signer(ada)] } });
  const good = await push('a', ada.sign);
  await push('b', sign);
  expect((await status()).ready).toMatch(says);
  expect((await status()).lastAppliedCommit).toBe(good);
  expect((await status()).signedBy).toBeUndefined();
  expect(await find('Issuer', 'a')).toBeDefined();
  expect(await find('Issuer', 'b')).toBeUndefined();
  await push('c', ada.sign);
  expect(await find('Issuer', 'c')).toBeDefined();
});

test('by force is not by signature', async () => {
  await follow({ allowMassDeletion: true, verify: { signers: [signer(ada)] } });
  await push('b', eve.sign);
  const found = (await find('Repository', 'infra')) as Repository;
  const annotations = { 'b8s.dev/reconcile-requested': 'now force' };
  const object = { ...found, metadata: { ...found.metadata, annotations } };
  const how = { manager: 'b8sctl', dryRun: false, command: 'b8sctl reconcile --force' };
  await at.term.api.update({ objectJson: JSON.stringify(object), ...how }, ADMIN);
  await settle(10);
  expect((await status()).ready).toMatch(/^NotVerified/);
  expect(await find('Issuer', 'b')).toBeUndefined();
});

test('who is no signer any more has signed nothing; what is in force stays', async () => {
  await follow({ allowMassDeletion: true, verify: { signers: [signer(ada)] } });
  await push('a', ada.sign);
  await follow({ verify: { signers: [signer(ada, { revoked: true })] } });
  await settle(5);
  expect((await status()).ready).toMatch(/^NotVerified: .*by ada with SHA256:.*which is revoked/s);
  expect(await find('Issuer', 'a')).toBeDefined();
});

test('signers in a Secret count as soon as it has them', async () => {
  await follow({ verify: { secretRef: 'signers' } });
  await push('a', eve.sign);
  expect((await status()).ready).toMatch(/^SecretMissing: Secret default\/signers is not there/);
  const secret = (allowed: string): object => manifest('Secret', 'signers', { data: { allowed } });
  await at.apply(secret(`ada@example.com namespaces="git" ${ada.line}\nnonsense`));
  await settle(5);
  expect((await status()).ready).toMatch(/^SignersInvalid: .*allowed, line 2: has no public key/);
  await at.apply(secret(`eve@example.com namespaces="git" ${eve.line}\n`));
  await settle(5);
  expect((await status()).signedBy).toMatch(/^eve@example\.com/);
  expect(await find('Issuer', 'a')).toBeDefined();
});

test('a tag is verified for a Repository that follows versions', async () => {
  await follow({ ref: { semver: '^1' }, verify: { mode: 'Tag', signers: [signer(ada)] } });
  const commit = await push('a');
  remote.tag('v1.0.0', commit);
  await settle(70);
  expect((await status()).ready).toMatch(/^NotVerified: .*tag v1\.0\.0 is a name alone/s);
  remote.tag('v1.0.1', commit, { sign: ada.sign });
  await settle(70);
  expect(await find('Issuer', 'a')).toBeDefined();
});
