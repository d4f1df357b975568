import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { issuer, manifest, RepositoryScene } from './repository-scene.fixture.ts';

/** An object moves to the folder of another Repository, which does not see the commit, or not yet. */

let at: RepositoryScene;

beforeEach(async () => {
  at = new RepositoryScene();
  await at.start();
});
afterEach(() => at.stop());

const before = {
  ...{ 'one/a.json': issuer('a'), 'one/m.json': issuer('m'), 'one/n.json': issuer('n') },
  ...{ 'two/b.json': issuer('b'), 'two/c.json': issuer('c') },
};
const { 'one/m.json': _, ...rest } = before;
const moved = { ...rest, 'two/m.json': issuer('m', '7d') };
const TYPO = 'apiVersion: b8s.dev/v1\nkind: Issuer\nmetadata: { name: x }\nspec: { cax: {} }\n';

const url = 'https://git.example.com/infra.git';
const follower = (name: string, path: string, interval = '1m'): string =>
  manifest('Repository', name, { spec: { url, path, interval, timeout: '4m' } });

async function follow(two: object = {}): Promise<void> {
  await at.follow({ path: 'one', timeout: '4m' }, 'one');
  await at.follow({ path: 'two', timeout: '4m', ...two }, 'two');
}

const leftAlone = async (): Promise<readonly string[]> =>
  (await at.events()).filter((each) => each.startsWith('LeftAlone'));

describe('an object that moves is not deleted', () => {
  test('when the other one refuses the commit, and is taken over once that is mended', async () => {
    await follow();
    await at.push(before);
    await at.push({ ...moved, 'two/x.yaml': TYPO });
    await at.settle(200);
    expect(await at.changesOf('Issuer', 'm')).toEqual(['created']);
    expect(await at.ready('one')).toMatch(/^True/);
    expect(await leftAlone()).toEqual([
      expect.stringMatching(/^LeftAlone: Issuer\/m stay.* repository default\/two.*could not read/),
    ]);
    await at.push(moved);
    expect(await at.changesOf('Issuer', 'm')).toEqual(['created', 'configured']);
    expect(await at.ready('two')).toMatch(/^True/);
  });

  test('when that is mended in time, it goes from one to the other', async () => {
    await follow();
    await at.push(before);
    await at.push({ ...moved, 'two/x.yaml': TYPO });
    expect(await at.ready('one')).toMatch(/^False Applying: .*default\/two .*may take over/);
    await at.push(moved);
    expect(await at.changesOf('Issuer', 'm')).toEqual(['created', 'configured']);
    expect(await leftAlone()).toEqual([]);
  });

  test('when the other one is not signed for', async () => {
    const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ+Nzu0n0N8X0JQ5bq5a3mW8oVdX2dS0m1VqWnZ0j7pF';
    await follow({ verify: { mode: 'HEAD', signers: [{ name: 'ada', key }] } });
    await at.push(before);
    expect(await at.ready('two')).toMatch(/^False NotVerified/);
    await at.push(moved);
    await at.settle(200);
    expect(await at.changesOf('Issuer', 'm')).toEqual(['created']);
  });

  test('when the other one is suspended, and is taken over once it is resumed', async () => {
    await follow();
    await at.push(before);
    await at.follow({ path: 'two', timeout: '4m', suspend: true }, 'two');
    await at.push(moved);
    await at.settle(200);
    expect(await at.changesOf('Issuer', 'm')).toEqual(['created']);
    expect(await leftAlone()).toHaveLength(1);
    await at.follow({ path: 'two', timeout: '4m', suspend: false }, 'two');
    await at.settle(20);
    expect(await at.changesOf('Issuer', 'm')).toEqual(['created', 'configured']);
  });

  test('when the same commit makes the other one', async () => {
    await at.follow({ path: 'one', timeout: '4m' }, 'one');
    await at.push({ ...before, 'one/k.json': issuer('k') });
    await at.push({ ...moved, 'one/k.json': issuer('k'), 'one/two.json': follower('two', 'two') });
    await at.settle(20);
    expect(await at.changesOf('Issuer', 'm')).toEqual(['created', 'configured']);
    expect(await leftAlone()).toEqual([]);
    expect([await at.ready('one'), await at.ready('two')]).toEqual([
      expect.stringMatching(/^True/),
      expect.stringMatching(/^True/),
    ]);
  });

  test('when the same commit makes the other one in the folder of a third', async () => {
    const root = { 'all/one.json': follower('one', 'one'), 'all/r.json': issuer('r') };
    await at.follow({ path: 'all', timeout: '4m', interval: '2m' }, 'all');
    await at.push({ ...before, ...root }, 'First');
    await at.settle(70);
    expect(await at.changesOf('Issuer', 'm')).toEqual(['created']);
    await at.push({ ...moved, ...root, 'all/two.json': follower('two', 'two') });
    await at.settle(140);
    expect(await at.changesOf('Issuer', 'm')).toEqual(['created', 'configured']);
    expect(await at.ready('two')).toMatch(/^True/);
  });

  test('when the same commit lets the other one follow that folder', async () => {
    await at.follow({ path: 'one', timeout: '4m' }, 'one');
    const k = { 'one/k.json': issuer('k'), 'three/b.json': issuer('b') };
    await at.push({ ...before, ...k, 'one/two.json': follower('two', 'three', '10s') });
    await at.settle(70);
    await at.push({ ...moved, ...k, 'one/two.json': follower('two', 'two', '10s') });
    await at.settle(70);
    expect(await at.changesOf('Issuer', 'm')).toEqual(['created', 'configured']);
    expect(await leftAlone()).toEqual([]);
  });
});

test('one that goes by the same commit as its folder is not waited for', async () => {
  await at.follow({ path: 'one', timeout: '4m' }, 'one');
  await at.push({ ...before, 'one/two.json': follower('two', 'two') });
  await at.settle(70);
  expect(await at.ready('two')).toMatch(/^True/);
  await at.push({ 'one/a.json': issuer('a'), 'one/n.json': issuer('n') });
  expect(await at.find('Repository', 'two')).toBeUndefined();
  expect(await at.issuers()).toEqual(['a', 'b', 'c', 'n']);
  expect(await leftAlone()).toEqual([]);
});

test('one that can never look holds nobody up for longer than half of the time', async () => {
  await at.follow({ path: 'one', timeout: '30s' }, 'one');
  await at.follow({ path: 'two', timeout: '30s', secretRef: 'nowhere' }, 'two');
  expect(await at.ready('two')).toMatch(/^False SecretMissing/);
  await at.push(before);
  await at.push(rest);
  expect(await at.ready('one')).toMatch(/^True/);
  expect(await at.issuers()).toEqual(['a', 'm', 'n']);
  expect(await leftAlone()).toHaveLength(1);
});

test('one that looks seldom is asked to look, so that what is gone goes', async () => {
  await follow({ interval: '1h' });
  await at.push(before);
  await at.reconcile('', 'two');
  await at.push(rest);
  expect(await at.issuers()).toEqual(['a', 'b', 'c', 'n']);
  expect(await leftAlone()).toEqual([]);
});

test('the time in which no dom is there does not count for that half', async () => {
  await follow();
  await at.push(before);
  await at.push({ ...moved, 'two/x.yaml': TYPO });
  expect(await at.ready('one')).toMatch(/^False Applying: .*may take over/);
  at.stop();
  await at.settle(600);
  await at.start();
  await at.settle(60);
  expect(await at.ready('one')).toMatch(/^False Applying: .*may take over/);
  await at.push(moved);
  expect(await at.changesOf('Issuer', 'm')).toEqual(['created', 'configured']);
  expect(await leftAlone()).toEqual([]);
});
