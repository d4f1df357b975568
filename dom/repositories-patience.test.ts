import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { issuer, issuers, RepositoryScene, site } from './repository-scene.fixture.ts';

/** What calls and absences of dom leave as it was, and what they leave behind. */

let at: RepositoryScene;

beforeEach(async () => {
  at = new RepositoryScene();
  await at.start();
});
afterEach(() => at.stop());

describe('a commit that --with-ref asked for', () => {
  async function atGood(): Promise<void> {
    await at.follow({ timeout: '30s' });
    const good = await at.push(issuers('a'));
    await at.push({ 'a.json': issuer('a', '7d') });
    expect(await at.lifetimeOf('a')).toBe('7d');
    await at.reconcile(` ref=${good}`);
    expect(await at.lifetimeOf('a')).toBe('30d');
  }

  test('is followed on when the host calls late for the commit before', async () => {
    await atGood();
    await at.reconcile(' webhook=body:1');
    await at.settle(140);
    expect(await at.lifetimeOf('a')).toBe('30d');
    await at.push({ 'a.json': issuer('a', '9d') });
    expect(await at.lifetimeOf('a')).toBe('9d');
  });

  test('is left when the call is for another one', async () => {
    await atGood();
    at.remote.commit({ 'a.json': issuer('a', '9d') });
    await at.reconcile(' webhook=body:1');
    expect(await at.lifetimeOf('a')).toBe('9d');
  });

  test('is left when a person asks again', async () => {
    await atGood();
    await at.reconcile();
    expect(await at.lifetimeOf('a')).toBe('7d');
  });
});

test('a call does not take back that a commit may delete many', async () => {
  await at.follow({ timeout: '30s', dependsOn: ['base'] });
  await at.follow({ suspend: true }, 'base');
  await at.settle(5);
  await at.follow({ timeout: '30s', dependsOn: [] });
  await at.push(issuers('a', 'b', 'c'));
  await at.follow({ timeout: '30s', dependsOn: ['base'] });
  await at.push(issuers('a'));
  await at.reconcile(' confirm-prune');
  await at.reconcile(' webhook=body:1');
  await at.dom.remove('Repository', 'base');
  await at.follow({ timeout: '30s', dependsOn: [] });
  await at.settle(20);
  expect(await at.issuers()).toEqual(['a']);
});

describe('the time of a commit', () => {
  /** Until a commit waits for a Site that is never Ready. */
  async function waiting(): Promise<void> {
    await at.follow({ onFailure: 'rollback', timeout: '30s' });
    await at.push(issuers('a'));
    at.remote.commit({ ...issuers('a', 'b'), 'z.json': site('z') });
    for (let waits = 0; (await at.find('Site', 'z')) === undefined && waits < 70; waits += 1)
      await at.settle(1);
    expect(await at.ready()).toMatch(/^False (Applying|Waiting)/);
  }

  test('is over while dom is there', async () => {
    await waiting();
    await at.settle(40);
    expect(await at.ready()).toMatch(/^False BadCommit/);
  });

  test('is not over when it was suspended for longer', async () => {
    await waiting();
    const spec = { onFailure: 'rollback', timeout: '30s' };
    await at.follow({ ...spec, suspend: true });
    await at.settle(360);
    await at.follow({ ...spec, suspend: false });
    await at.settle(15);
    expect(await at.ready()).toMatch(/^False Waiting/);
    await at.settle(30);
    expect(await at.ready()).toMatch(/^False BadCommit/);
  });

  test('is not over when no dom was there for longer: the next one gives it all of it', async () => {
    await waiting();
    at.stop();
    await at.settle(360);
    await at.start();
    await at.settle(20);
    expect(await at.ready()).toMatch(/^False Waiting/);
    await at.settle(20);
    expect(await at.ready()).toMatch(/^False BadCommit/);
    expect(await at.issuers()).toEqual(['a']);
  });
});

test('calls for a Repository that is gone, and never brought anything in, are forgotten', async () => {
  await at.follow();
  const { uid } = (await at.repository()).metadata;
  at.stop();
  for (const each of [uid, 'gone'])
    await at.called(each, { name: 'default/infra', time: '', deliveries: ['body:1'] });
  await at.called('gone-too', { name: 'default/other', time: '', deliveries: ['body:1'] });
  await at.start();
  await at.settle();
  const left = await Promise.all([uid, 'gone', 'gone-too'].map((each) => at.wasCalled(each)));
  expect(left).toEqual([true, false, false]);
});
