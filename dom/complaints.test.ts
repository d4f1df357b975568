import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Issuer } from '../api/issuer.ts';
import type { Site } from '../api/site.ts';
import { issuer, issuers, manifest, RepositoryScene, site } from './repository-scene.fixture.ts';

/** What people say of other tools that follow Git, each as the test that it does not hold here. */

let at: RepositoryScene;

beforeEach(async () => {
  at = new RepositoryScene();
  await at.start();
});
afterEach(() => at.stop());

test('removed file is pruned (once), moved file is not', async () => {
  await at.follow();
  await at.push(issuers('moved', 'kept', 'removed'));
  const uid = (await at.find('Issuer', 'moved'))?.metadata.uid;
  await at.push({ 'elsewhere/x.json': issuer('moved'), ...issuers('kept') });
  expect(await at.issuers()).toEqual(['kept', 'moved']);
  expect((await at.find('Issuer', 'moved'))?.metadata.uid).toBe(uid);
  // Whoever makes it again by hand keeps it, whatever is pushed then.
  await at.dom.apply(JSON.parse(issuer('removed', '7d')));
  await at.push({ ...issuers('moved', 'kept'), 'README.md': 'another commit' });
  await at.start();
  await at.settle(70);
  expect(await at.issuers()).toEqual(['kept', 'moved', 'removed']);
  expect(await at.changesOf('Issuer', 'removed')).toEqual(['created', 'deleted', 'created']);
  expect(await at.changesOf('Issuer', 'moved')).toEqual(['created']);
});

test('empty clone prunes nothing', async () => {
  await at.follow();
  await at.push(issuers('a', 'b'));
  // A repository without refs, then a dom that has never heard of it, then a tree without files.
  const refs = new Map(at.remote.refs);
  at.remote.refs.clear();
  await at.settle(70);
  expect(await at.ready()).toMatch(/^False FetchRefNotFound: /);
  await at.start();
  await at.settle(70);
  expect(await at.issuers()).toEqual(['a', 'b']);
  for (const [name, commit] of refs) at.remote.refs.set(name, commit);
  await at.push({});
  expect(await at.ready()).toMatch(/^False NothingDeclared: .*nothing is removed/);
  await at.push({ 'README.md': 'only this' });
  expect(await at.issuers()).toEqual(['a', 'b']);
  await at.push(issuers('a', 'b'));
  expect(await at.ready()).toMatch(/^True/);
  expect(await at.changesOf('Issuer', 'a')).toEqual(['created']);
});

test('rollback does not fight the sync', async () => {
  await at.follow({ onFailure: 'rollback' });
  await at.push({ ...issuers('b'), 'a.json': issuer('a', '30d') });
  await at.push({ 'a.json': issuer('a', '7d'), ...issuers('b', 'c'), 'z.json': site('z') });
  await at.settle(30);
  const before = [await at.changesOf('Issuer', 'a'), await at.changesOf('Site', 'z')];
  expect(before).toEqual([
    ['created', 'configured', 'configured'],
    ['created', 'deleted'],
  ]);
  // Neither time, nor dom's next process, nor a person who only asks for a look brings it back.
  await at.settle(300);
  await at.start();
  await at.settle(140);
  await at.reconcile();
  await at.follow({ onFailure: 'rollback', suspend: true });
  await at.follow({ onFailure: 'rollback' });
  await at.settle(70);
  expect([await at.changesOf('Issuer', 'a'), await at.changesOf('Site', 'z')]).toEqual(before);
  expect(await at.lifetimeOf('a')).toBe('30d');
  expect(await at.ready()).toMatch(/^False BadCommit: /);
});

test('a superseded revision stops being waited for', async () => {
  await at.follow({ timeout: '1h', onFailure: 'rollback' });
  await at.push(issuers('a'));
  await at.push({ ...issuers('a'), 'z.json': site('z') });
  expect(await at.ready()).toMatch(/^False Waiting: .*Site\/default\/z/);
  const commit = await at.push(issuers('a', 'b'));
  expect(await at.ready()).toMatch(/^True Applied/);
  expect((await at.repository()).status?.lastAppliedCommit).toBe(commit);
  expect(await at.find('Site', 'z')).toBeUndefined();
});

test('defaulted fields are not drift', async () => {
  await at.follow();
  const redirects = [{ from: '/a', to: '/b' }];
  await at.push({
    's.json': site('s', { redirects, tls: {} }),
    'i.json': manifest('Issuer', 'i', { spec: { ca: {} } }),
  });
  await at.settle(60);
  const [found, made] = [await at.find<Site>('Site', 's'), await at.find<Issuer>('Issuer', 'i')];
  expect(found?.spec.redirects[0]?.status).toBe(308);
  expect(made?.spec.ca?.lifetime).toBeDefined();
  expect((await at.repository()).status?.driftCount).toBeUndefined();
  expect((await at.events()).filter((each) => each.startsWith('Drift'))).toEqual([]);
  expect(await at.changesOf('Issuer', 'i')).toEqual(['created']);
});

test('a typo in a field is refused', async () => {
  await at.follow();
  await at.push(issuers('a'));
  const typo = [
    ...['apiVersion: b8s.dev/v1', 'kind: Site', 'metadata: { name: blog }'],
    ...['spec:', '  hostz: [blog.example.com]'],
  ];
  await at.push({ ...issuers('b'), 'sites/blog.yaml': typo.join('\n') });
  expect(await at.ready()).toMatch(
    /^False Invalid: .* is refused as a whole: .*spec\.hostz.*did you mean.*hosts.*\(sites\/blog\.yaml:5\)/s,
  );
  expect(await at.issuers()).toEqual(['a']);
});

test('a stuck deletion says what holds it', async () => {
  await at.follow({ timeout: '1h' });
  await at.push(issuers('a', 'b'));
  await at.hold('Issuer', 'b', 'example.com/backup');
  await at.push(issuers('a'));
  expect(await at.ready()).toMatch(
    /^False Waiting: .*Issuer\/b, which is being deleted and held by example\.com\/backup/,
  );
});
