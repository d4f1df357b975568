import { expect, test } from 'vitest';
import { REVOKE_REQUESTED, ROLLOVER_REQUESTED } from '../../api/requests.ts';
import { secretContext } from '../../runtime/secret/secrets.ts';
import { type Scene, served } from '../test-scene.ts';
import {
  acmeScene,
  annotate,
  certificateOf,
  DAY_MS,
  finish,
  materialOf,
  order,
} from './test-acme.ts';

const account = (at: Scene) => at.world.records('acmeAccount')[0]?.[1].value;

test('terms that nobody agreed to: the CA is not asked', async () => {
  const at = await acmeScene({ acme: { termsOfServiceAgreed: false } });
  await order(at);
  expect(at.ca.asked).toEqual({});
  await at.configure('Issuer', 'letsencrypt', {
    acme: {
      ...at.world.get('Issuer', { name: 'letsencrypt' })?.spec.acme,
      termsOfServiceAgreed: true,
    },
  });
  await finish(at);
  expect(materialOf(at)).toBeDefined();
  await at.end();
});

test('the contact is told when it changes', async () => {
  const at = await acmeScene({ acme: { contact: ['ops@example.com'] } });
  expect(at.ca.accounts[0]?.contact).toEqual(['mailto:ops@example.com']);
  const { acme } = at.world.get('Issuer', { name: 'letsencrypt' })?.spec ?? {};
  await at.configure('Issuer', 'letsencrypt', { acme: { ...acme, contact: [] } });
  await finish(at);
  expect(at.ca.accounts.map(({ contact }) => contact)).toEqual([[]]);
  await at.end();
});

test.each([undefined, 'lost', 'unreachable', 'serverError'] as const)(
  'a new key for the account when asked, once, also when the answer is %s',
  async (fault) => {
    const at = await acmeScene();
    const before = account(at)?.sealedKey;
    if (fault !== undefined) at.ca.failNext('changeKey', fault);
    await annotate(at, 'Issuer', 'letsencrypt', { [ROLLOVER_REQUESTED]: '2020-01-01T00:00:00Z' });
    await finish(at, 1_300_000);
    const after = account(at);
    expect(after?.sealedKey).not.toBe(before);
    expect(after?.nextSealedKey).toBeUndefined();
    expect(at.ca.accounts).toHaveLength(1);
    await order(at);
    expect(materialOf(at)).toBeDefined();
    expect(account(at)?.sealedKey).toBe(after?.sealedKey);
    await at.end();
  },
);

test('orders under way are finished with the old key, and others wait for the new one', async () => {
  const at = await acmeScene({ deaf: ['b'] });
  await order(at, { ms: 1_000 });
  const before = account(at)?.sealedKey;
  await annotate(at, 'Issuer', 'letsencrypt', { [ROLLOVER_REQUESTED]: 'now' });
  await order(at, { name: 'later', names: ['later.example.com'], ms: 10_000 });
  expect(account(at)?.sealedKey).toBe(before);
  expect(at.world.records('acmeOrder')).toHaveLength(1);
  at.looks(async () => undefined);
  await at.disconnect('b');
  await finish(at, 400_000);
  expect(account(at)?.sealedKey).not.toBe(before);
  for (const name of ['blog', 'later']) expect(materialOf(at, name)).toBeDefined();
  await at.end();
});

test('an Issuer that was mended is tried at once, however long it had failed', async () => {
  const at = await acmeScene({ acme: { directory: 'https://wrong.test/directory' } });
  await order(at, { ms: 3_600_000 });
  const { acme } = at.world.get('Issuer', { name: 'letsencrypt' })?.spec ?? {};
  const directory = 'https://ca.test/directory';
  at.ca.setWeather({ faults: { unreachable: 1 }, flaws: {}, slowMsMax: 0 });
  await at.configure('Issuer', 'letsencrypt', { acme: { ...acme, directory } });
  await finish(at, 3_600_000);
  at.ca.setWeather({ faults: {}, flaws: {}, slowMsMax: 0 });
  await at.configure('Issuer', 'letsencrypt', { acme: { ...acme, directory, selfCheck: 'none' } });
  await finish(at, 10_000);
  expect(materialOf(at)).toBeDefined();
  expect(account(at)).not.toHaveProperty('failedGeneration');
  await at.end();
});

test('a CA that forgot its accounts gets the same key again', async () => {
  const at = await acmeScene();
  const before = account(at)?.sealedKey;
  at.ca.forgetAccounts();
  await order(at);
  expect(materialOf(at)).toBeDefined();
  expect(account(at)?.sealedKey).toBe(before);
  await at.end();
});

test('another directory calls for another account, and for another certificate', async () => {
  const at = await acmeScene();
  await order(at);
  const { acme } = at.world.get('Issuer', { name: 'letsencrypt' })?.spec ?? {};
  const directory = 'https://gone.test/directory';
  await at.configure('Issuer', 'letsencrypt', { acme: { ...acme, directory } });
  await finish(at);
  expect(account(at)).toMatchObject({ directory, failure: { reason: 'unreachable' } });
  expect(materialOf(at)?.directory).toBe('https://ca.test/directory');
  await at.end();
});

test('an external account: the Secret is named until it is there, and the account is bound', async () => {
  const externalAccount = { keyId: 'kid-1', secret: 'default/eab' };
  const bound = await acmeScene({
    acme: { externalAccount },
    settings: { externalAccounts: { 'kid-1': 'c2VjcmV0' } },
  });
  await finish(bound, 1_000);
  expect(account(bound)?.failure?.message).toContain('"default/eab"');
  const context = secretContext({ namespace: 'default', name: 'eab', key: 'mac-key' });
  const sealed = bound.sealer.seal('c2VjcmV0', context);
  await bound.create('Secret', 'eab', { data: { 'mac-key': sealed } });
  await finish(bound, 2_000);
  expect(bound.ca.accounts).toMatchObject([{ externalKeyId: 'kid-1' }]);
  await bound.end();
});

test('revoked with keyCompromise: the CA is told at once, and there is another one', async () => {
  const at = await acmeScene();
  await order(at);
  const old = materialOf(at)?.fingerprint ?? '';
  await annotate(at, 'Certificate', 'blog', { [REVOKE_REQUESTED]: `${old} keyCompromise` });
  await finish(at, 20_000);
  expect(at.ca.certificates).toHaveLength(2);
  expect(at.ca.certificates[0]?.revokedMs).toBeDefined();
  expect(materialOf(at)?.fingerprint).not.toBe(old);
  await at.end();
});

test('else every connected edge has the replacement first', async () => {
  const at = await acmeScene({ deaf: ['a'] });
  at.looks(async () => undefined);
  await order(at, { ms: 700_000 });
  const old = materialOf(at)?.fingerprint ?? '';
  const site = certificateOf(at);
  await at.report('a', { sites: [served(site, '', old)] });
  await annotate(at, 'Certificate', 'blog', { [REVOKE_REQUESTED]: `${old} superseded` });
  await finish(at, 700_000);
  expect(materialOf(at)?.fingerprint).not.toBe(old);
  expect(at.ca.certificates[0]?.revokedMs).toBeUndefined();
  at.ca.failNext('revoke', 'lost');
  await at.report('a', { sites: [served(site, '', materialOf(at)?.fingerprint)] });
  await finish(at, 300_000);
  expect(at.ca.certificates[0]?.revokedMs).toBeDefined();
  expect(at.world.record('revocation', old)?.value.revokedMs).toBeDefined();
  await finish(at, 8 * DAY_MS);
  expect(at.world.records('revocation')).toEqual([]);
  await at.end();
});

test('cessationOfOperation: revoked, and not replaced', async () => {
  const at = await acmeScene();
  await order(at);
  const old = materialOf(at)?.fingerprint ?? '';
  await annotate(at, 'Certificate', 'blog', { [REVOKE_REQUESTED]: `${old} cessationOfOperation` });
  await finish(at, 80 * DAY_MS);
  expect(at.ca.certificates).toHaveLength(1);
  expect(at.ca.certificates[0]?.revokedMs).toBeDefined();
  await at.end();
});
