import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Site } from '../api/site.ts';
import { issuer, issuers, manifest, RepositoryScene, site } from './repository-scene.fixture.ts';

let at: RepositoryScene;

beforeEach(async () => {
  at = new RepositoryScene();
  await at.start();
});
afterEach(() => at.stop());

const uidOf = async (name: string): Promise<string | undefined> =>
  (await at.find('Issuer', name))?.metadata.uid;

describe('two Repositories of one remote', () => {
  const follow = async (spec: object = {}): Promise<void> => {
    await at.follow({ path: 'one', timeout: '1h', ...spec }, 'one');
    await at.follow({ path: 'two', timeout: '1h', ...spec }, 'two');
  };
  const before = {
    ...{ 'one/a.json': issuer('a'), 'one/m.json': issuer('m'), 'one/n.json': issuer('n') },
    ...{ 'two/b.json': issuer('b'), 'two/c.json': issuer('c') },
  };

  const ofOne = (files: object): object =>
    Object.fromEntries(Object.entries(files).filter(([path]) => path.startsWith('one/')));

  test('an object that is changed on its way to the other one is not deleted', async () => {
    await follow();
    await at.push(before);
    const uid = await uidOf('m');
    const { 'one/m.json': _, ...rest } = before;
    await at.push({ ...rest, 'two/m.json': issuer('m', '7d') });
    await at.settle(70);
    expect(await at.changesOf('Issuer', 'm')).toEqual(['created', 'configured']);
    expect([await uidOf('m'), await at.lifetimeOf('m')]).toEqual([uid, '7d']);
    expect([await at.ready('one'), await at.ready('two')]).toEqual([
      expect.stringMatching(/^True/),
      expect.stringMatching(/^True/),
    ]);
  });

  test('…also when dom dies before either has brought the commit in', async () => {
    await follow();
    await at.push(before);
    const { 'one/m.json': _, ...rest } = before;
    at.remote.commit({ ...rest, 'two/m.json': issuer('m', '7d') });
    await at.start();
    await at.settle(140);
    expect(await at.changesOf('Issuer', 'm')).toEqual(['created', 'configured']);
  });

  test('when a commit takes something from both, neither waits for the other', async () => {
    await follow();
    await at.push(before);
    const { 'one/m.json': _m, 'two/c.json': _c, ...rest } = before;
    await at.push(rest);
    expect(await at.issuers()).toEqual(['a', 'b', 'n']);
    expect([await at.ready('one'), await at.ready('two')]).toEqual([
      expect.stringMatching(/^True/),
      expect.stringMatching(/^True/),
    ]);
  });

  test('what the other one has taken over stays there when the rest is rolled back', async () => {
    await follow({ onFailure: 'rollback', timeout: '30s' });
    await at.push(before);
    const { 'one/m.json': _, ...rest } = before;
    await at.push({ ...rest, 'two/m.json': issuer('m', '7d'), 'one/z.json': site('z') });
    await at.settle(60);
    expect(await at.ready('one')).toMatch(/^False BadCommit/);
    expect(await at.ready('two')).toMatch(/^True/);
    expect(await at.lifetimeOf('m')).toBe('7d');
    expect(await at.find('Site', 'z')).toBeUndefined();
  });

  test('what one takes over is its own, though the other one refuses the rest of the commit', async () => {
    const more = Object.fromEntries(
      ['d', 'e', 'f'].map((name) => [`two/${name}.json`, issuer(name)]),
    );
    await follow();
    await at.push({ ...before, ...more });
    await at.push({ ...ofOne(before), 'one/b.json': issuer('b', '7d'), 'two/e.json': issuer('e') });
    const told = [await at.ready('one'), await at.ready('two'), await at.lifetimeOf('b')];
    expect(told).toEqual([
      expect.stringMatching(/^True/),
      expect.stringMatching(/^False MassDeletion: .*3 of 5 .*Issuer\/c, Issuer\/d, Issuer\/f/),
      '7d',
    ]);
    await at.settle(60);
    expect(await at.changesOf('Issuer', 'b')).toEqual(['created', 'configured']);
    expect((await at.repository('two')).status?.drift).toEqual([
      expect.objectContaining({ found: '"7d"', manager: 'repository/default/one' }),
    ]);
    await at.dom.apply(JSON.parse(issuer('c', '9d')));
    await at.settle(20);
    expect([await at.lifetimeOf('b'), await at.lifetimeOf('c')]).toEqual(['7d', '30d']);
    await at.reconcile(' confirm-prune', 'two');
    await at.settle(20);
    expect(await at.issuers()).toEqual(['a', 'b', 'e', 'm', 'n']);
    expect(await at.ready('two')).toMatch(/^True/);
  });

  test('what a deleted one has left is the next one’s, whatever that says of it', async () => {
    await at.follow({ path: 'one' }, 'old');
    await at.push({ 'one/a.json': issuer('a') });
    await at.dom.remove('Repository', 'old');
    await at.follow({ path: 'one' }, 'new');
    await at.push({ 'one/a.json': issuer('a', '7d') });
    expect(await at.ready('new')).toMatch(/^True/);
    expect(await at.lifetimeOf('a')).toBe('7d');
  });
});

describe('what is in force is kept so', () => {
  test.each([
    { when: 'the newest commit is refused', files: { 'x.yaml': 'kind: Site\nspec: 1\n' } },
    { when: 'the newest commit declares nothing', files: {}, alone: true },
    { when: 'a commit is waited for', files: { 'z.json': site('z') } },
  ])('while $when, a changed field is put back', async ({ files, alone = false }) => {
    await at.follow({ timeout: '1h' });
    await at.push(issuers('a', 'b'));
    await at.push({ ...(alone ? {} : issuers('a', 'b')), ...files });
    await at.dom.apply(JSON.parse(issuer('a', '7d')));
    await at.settle(20);
    expect(await at.lifetimeOf('a')).toBe('30d');
    expect(await at.ready()).toMatch(/^False (Invalid|NothingDeclared|Waiting)/);
  });
});

test('a bad commit is no good one once somebody has deleted what is not Ready of it', async () => {
  await at.follow({ onFailure: 'rollback', timeout: '30s' });
  await at.push(issuers('a'));
  at.remote.commit({ ...issuers('a', 'b'), 'z.json': site('z') });
  for (let waits = 0; (await at.find('Site', 'z')) === undefined && waits < 70; waits += 1)
    await at.settle(1);
  await at.dom.remove('Site', 'z');
  await at.settle(60);
  expect(await at.ready()).toMatch(/^False BadCommit/);
  expect(await at.issuers()).toEqual(['a']);
});

describe('the release of a Site’s folder', () => {
  const web = {
    'web/site.json': manifest('Site', 'web', {
      spec: { hosts: ['web.example.com'], content: { path: './public' } },
    }),
    'web/public/index.html': '<h1>One</h1>',
  };
  const isThere = async (): Promise<boolean> => {
    const { spec } = (await at.find<Site>('Site', 'web')) ?? {};
    const release = spec?.content?.release;
    return release !== undefined && (await at.find('Release', release)) !== undefined;
  };

  test('comes back with a Site that somebody has deleted', async () => {
    await at.follow({ timeout: '5s' });
    await at.push({ ...web, ...issuers('a') });
    await at.dom.remove('Site', 'web');
    await at.settle(70);
    expect(await isThere()).toBe(true);
  });
});
