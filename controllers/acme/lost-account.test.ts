import { expect, test } from 'vitest';
import { REVOKE_REQUESTED, ROLLOVER_REQUESTED } from '../../api/requests.ts';
import { AcmeProblem } from '../../runtime/acme/acme.ts';
import { createFakeAcmeCa } from '../../runtime/acme/fake/ca.ts';
import { secretContext } from '../../runtime/secret/secrets.ts';
import type { Scene } from '../test-scene.ts';
import { acmeScene, annotate, DAY_MS, finish, issuanceOf, materialOf, order } from './test-acme.ts';

const HOUR_MS = 3_600_000;
const account = (at: Scene) => at.world.records('acmeAccount')[0]?.[1].value;
const specOf = (at: Scene) => at.world.get('Issuer', { name: 'letsencrypt' })?.spec.acme;
const reasons = (at: Scene) => at.events.notes.map(({ reason }) => reason);

/** What was sealed with a key that nobody has any more. */
const LOST = 'sealed elsewhere|who knows';

async function loseKeys(at: Scene, change: object = { sealedKey: LOST }): Promise<void> {
  const [found] = at.world.records('acmeAccount');
  if (found === undefined) throw new Error('no account');
  const [uid, { value }] = found;
  await at.put('acmeAccount', uid, { ...value, ...change });
}

test('an account that the CA closed is replaced, with another key, and said (RFC 8555 §7.3.6)', async () => {
  const at = await acmeScene();
  const before = account(at);
  at.ca.closeAccounts();
  await order(at);
  expect(materialOf(at)).toBeDefined();
  expect(at.ca.accounts.map(({ closed = false }) => closed)).toEqual([true, false]);
  expect(account(at)?.url).not.toBe(before?.url);
  expect(account(at)?.sealedKey).not.toBe(before?.sealedKey);
  expect(account(at)).not.toHaveProperty('failure');
  expect(reasons(at)).toEqual(['AccountClosed', 'CertificateIssued']);
  expect(at.events.notes[0]?.message).toContain('is deactivated');
  await at.end();
});

test.each([
  { when: 'wants a binding before it looks for a key', refuses: 'externalAccountRequired' },
  { when: 'tells of a closed account as of any other', refuses: undefined },
])('a closed account is known as such by its URL, too, where a CA $when', async ({ refuses }) => {
  const at = await acmeScene({
    acmeOf: ({ acme }) => ({
      ...acme,
      findAccount: () =>
        refuses === undefined
          ? Promise.resolve('https://ca.test/account/1')
          : Promise.reject(new AcmeProblem({ type: refuses, detail: 'no binding' })),
    }),
  });
  at.ca.closeAccounts();
  await order(at);
  expect(materialOf(at)).toBeDefined();
  expect(at.ca.accounts).toHaveLength(2);
  await at.end();
});

test('closed while thirty orders are under way: one account takes its place', async () => {
  const at = await acmeScene({ deaf: ['b'] });
  const names = Array.from({ length: 30 }, (_, index) => `n${index}`);
  for (const name of names)
    await at.create('Certificate', name, {
      names: [`${name}.example.com`],
      issuer: 'letsencrypt',
    });
  at.ca.closeAccounts();
  at.looks(async () => undefined);
  await at.disconnect('b');
  await finish(at, HOUR_MS);
  expect(at.ca.accounts).toHaveLength(2);
  for (const name of names) expect(materialOf(at, name), name).toBeDefined();
  await at.end();
});

test('a CA that closes the next one, too, is not given a third by itself, but when asked', async () => {
  const at = await acmeScene();
  at.ca.closeAccounts();
  await order(at);
  at.ca.closeAccounts();
  await order(at, { name: 'shop', names: ['shop.example.com'], ms: HOUR_MS });
  expect(at.ca.accounts).toHaveLength(2);
  expect(account(at)?.failure?.message).toContain('b8sctl issuer rollover');
  expect(materialOf(at, 'shop')).toBeUndefined();
  await annotate(at, 'Issuer', 'letsencrypt', { [ROLLOVER_REQUESTED]: 'now' });
  await finish(at);
  expect(at.ca.accounts).toHaveLength(3);
  expect(materialOf(at, 'shop')).toBeDefined();
  await at.end();
});

test('after a day a third is made', async () => {
  const at = await acmeScene();
  at.ca.closeAccounts();
  await order(at);
  at.ca.closeAccounts();
  await order(at, { name: 'shop', names: ['shop.example.com'], ms: DAY_MS + HOUR_MS });
  expect(at.ca.accounts).toHaveLength(3);
  expect(materialOf(at, 'shop')).toBeDefined();
  await at.end();
});

test('what a closed account is asked beside orders finds out, too: contact, key and revocation', async () => {
  const at = await acmeScene();
  await order(at);
  at.ca.closeAccounts();
  await at.configure('Issuer', 'letsencrypt', {
    acme: { ...specOf(at), contact: ['a@b.example'] },
  });
  await finish(at, 10_000);
  expect(at.ca.accounts.map(({ contact }) => contact)).toEqual([[], ['mailto:a@b.example']]);
  expect(reasons(at)).not.toContain('AccountChangeRefused');
  await finish(at, 2 * DAY_MS);

  at.ca.closeAccounts();
  const fingerprint = materialOf(at)?.fingerprint ?? '';
  await annotate(at, 'Certificate', 'blog', { [REVOKE_REQUESTED]: `${fingerprint} keyCompromise` });
  await finish(at, 10_000);
  expect(at.ca.accounts).toHaveLength(3);
  await finish(at, 2 * DAY_MS);

  at.ca.closeAccounts();
  await annotate(at, 'Issuer', 'letsencrypt', { [ROLLOVER_REQUESTED]: 'now' });
  await finish(at, 10_000);
  expect(at.ca.accounts).toHaveLength(4);
  expect(reasons(at)).not.toContain('AccountChangeRefused');
  await at.end();
});

test('names that are not authorized do not cost the account', async () => {
  const at = await acmeScene();
  at.looks(async () => 'no such record');
  await order(at);
  expect(issuanceOf(at)?.failure?.reason).toBe('unauthorized');
  expect(at.ca.accounts).toHaveLength(1);
  expect(new Set(reasons(at))).toEqual(new Set(['OrderFailed']));
  await at.end();
});

test('an Issuer that goes back to a CA has the account that it had there', async () => {
  const at = await acmeScene();
  const other = createFakeAcmeCa({
    ...{ clock: at.clock, random: at.random, validate: async () => undefined },
    directory: 'https://other.test/directory',
  });
  at.cas.push(other);
  const [first, sealedKey] = [specOf(at), account(at)?.sealedKey];
  const url = account(at)?.url;
  await at.configure('Issuer', 'letsencrypt', { acme: { ...first, directory: other.directory } });
  await finish(at, 10_000);
  expect(account(at)?.directory).toBe(other.directory);
  expect(other.accounts).toHaveLength(1);
  const contact = ['ops@example.com'];
  await at.configure('Issuer', 'letsencrypt', { acme: { ...first, contact } });
  await finish(at, 10_000);
  expect(account(at)).toMatchObject({ url, sealedKey });
  expect(at.ca.accounts).toMatchObject([{ contact: ['mailto:ops@example.com'] }]);
  await at.configure('Issuer', 'letsencrypt', { acme: { ...first, directory: other.directory } });
  await finish(at, 10_000);
  expect(other.accounts).toHaveLength(1);
  expect(account(at)?.earlier).toHaveLength(1);
  await order(at);
  expect(materialOf(at)?.directory).toBe(other.directory);
  other.close();
  await at.end();
});

test('an account that was closed meanwhile is not gone back to', async () => {
  const at = await acmeScene();
  const first = specOf(at);
  await at.configure('Issuer', 'letsencrypt', {
    acme: { ...first, directory: 'https://other.test/directory' },
  });
  await finish(at, 10_000);
  at.ca.closeAccounts();
  await at.configure('Issuer', 'letsencrypt', { acme: first });
  await order(at);
  expect(at.ca.accounts).toHaveLength(2);
  expect(materialOf(at)).toBeDefined();
  await at.end();
});

test('an account whose key nobody can open is replaced, and a next key is forgotten', async () => {
  const at = await acmeScene();
  await loseKeys(at);
  await order(at);
  expect(at.ca.accounts).toHaveLength(2);
  expect(materialOf(at)).toBeDefined();
  expect(reasons(at)).toEqual(['AccountKeyLost', 'CertificateIssued']);
  await loseKeys(at, { nextSealedKey: LOST });
  await order(at, { name: 'shop', names: ['shop.example.com'] });
  expect(at.ca.accounts).toHaveLength(2);
  expect(materialOf(at, 'shop')).toBeDefined();
  await at.end();
});

test('an order whose key nobody can open is given up, and another is placed', async () => {
  const at = await acmeScene({ deaf: ['b'] });
  await order(at, { ms: 1_000 });
  const [found] = at.world.records('acmeOrder');
  await at.put('acmeOrder', found?.[0] ?? '', found && { ...found[1].value, sealedKey: LOST });
  at.looks(async () => undefined);
  await at.disconnect('b');
  await finish(at, 400_000);
  expect(issuanceOf(at)?.tries.map(({ outcome }) => outcome)).toEqual(['abandoned', 'issued']);
  expect(issuanceOf(at)?.tries[0]?.detail).toContain('another seal key');
  await at.end();
});

test('a certificate whose key nobody can open is ordered anew: no node could be given it', async () => {
  const at = await acmeScene();
  await order(at);
  const [found] = at.world.records('material');
  await at.put('material', found?.[0] ?? '', found && { ...found[1].value, sealedKey: LOST });
  await finish(at);
  expect(at.ca.certificates).toHaveLength(2);
  expect(materialOf(at)?.sealedKey).not.toBe(LOST);
  await at.end();
});

test('a MAC key that nobody can open is named, with the mend, and taken once it is written again', async () => {
  const externalAccount = { keyId: 'kid-1', secret: 'default/eab' };
  const at = await acmeScene({
    acme: { externalAccount },
    settings: { externalAccounts: { 'kid-1': 'c2VjcmV0' } },
  });
  await at.create('Secret', 'eab', { data: { 'mac-key': LOST } });
  await finish(at, 10_000);
  expect(account(at)?.failure?.message).toContain('write the value again');
  const context = secretContext({ namespace: 'default', name: 'eab', key: 'mac-key' });
  const sealed = at.sealer.seal('c2VjcmV0', context);
  await at.configure('Secret', 'eab', { data: { 'mac-key': sealed } });
  await finish(at, 2_000);
  expect(at.ca.accounts).toMatchObject([{ externalKeyId: 'kid-1' }]);
  await at.end();
});
