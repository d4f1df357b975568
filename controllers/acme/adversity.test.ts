import { expect, test } from 'vitest';
import { RENEW_REQUESTED, REVOKE_REQUESTED, ROLLOVER_REQUESTED } from '../../api/requests.ts';
import { type Acme, AcmeProblem } from '../../runtime/acme/acme.ts';
import type { Scene } from '../test-scene.ts';
import { isAcme } from './ports.ts';
import { noteAccount } from './scene.ts';
import {
  acmeScene,
  annotate,
  certificateOf,
  DAY_MS,
  finish,
  materialOf,
  order,
} from './test-acme.ts';

const HOUR_MS = 3_600_000;
const account = (at: Scene) => at.world.records('acmeAccount')[0]?.[1].value;
const issuer = (at: Scene) => at.world.get('Issuer', { name: 'letsencrypt' });

const refusal = (type: string, detail: string) => new AcmeProblem({ type, detail, status: 403 });

test('a CA that knows nothing of what an order replaces is asked without (RFC 9773 §5)', async () => {
  const placed: boolean[] = [];
  const at = await acmeScene({
    acmeOf: ({ acme }): Acme => ({
      ...acme,
      async createOrder(given, request, signal) {
        placed.push(request.replacesPem !== undefined);
        // What Let's Encrypt says when another account has ordered it, or no name is the same.
        if (request.replacesPem !== undefined)
          throw refusal('unauthorized', 'requester account did not request the certificate');
        return await acme.createOrder(given, request, signal);
      },
    }),
  });
  await order(at);
  const before = materialOf(at)?.fingerprint;
  await annotate(at, 'Certificate', 'blog', { [RENEW_REQUESTED]: 'now' });
  await finish(at);
  expect(placed).toEqual([false, true, false]);
  expect(materialOf(at)?.fingerprint).not.toBe(before);
  await at.end();
});

test('names that have nothing to do with those from before replace nothing', async () => {
  const placed: boolean[] = [];
  const at = await acmeScene({
    acmeOf: ({ acme }): Acme => ({
      ...acme,
      async createOrder(given, request, signal) {
        placed.push(request.replacesPem !== undefined);
        return await acme.createOrder(given, request, signal);
      },
    }),
  });
  await order(at);
  const { spec } = certificateOf(at);
  await at.configure('Certificate', 'blog', { ...spec, names: ['shop.example.com'] });
  await finish(at);
  expect(materialOf(at)?.names).toEqual(['shop.example.com']);
  expect(placed).toEqual([false, false]);
  await at.end();
});

test('one certificate alone does not hammer a CA that is away', async () => {
  const publicDns = { lookup: () => Promise.resolve([]) };
  const at = await acmeScene({ publicDns, nameservers: [] });
  at.ca.setWeather({ faults: { unreachable: 1 }, flaws: {}, slowMsMax: 0 });
  const before = at.ca.asked.directory ?? 0;
  await order(at, { ms: 6 * HOUR_MS });
  expect((at.ca.asked.directory ?? 0) - before).toBeLessThan(60);
  await at.end();
});

test.each(['changeKey', 'updateContact'] as const)(
  'a CA that refuses %s for good is heard, and certificates go on',
  async (step) => {
    let asked = 0;
    const at = await acmeScene({
      acmeOf: ({ acme }): Acme => ({
        ...acme,
        [step]: () => {
          asked += 1;
          return Promise.reject(refusal('malformed', 'not here'));
        },
      }),
    });
    await annotate(at, 'Issuer', 'letsencrypt', { [ROLLOVER_REQUESTED]: 'now' });
    const { acme } = issuer(at)?.spec ?? {};
    await at.configure('Issuer', 'letsencrypt', { acme: { ...acme, contact: ['a@example.com'] } });
    await finish(at, HOUR_MS);
    for (const name of ['one', 'two']) await order(at, { name, names: [`${name}.example.com`] });
    expect(materialOf(at, 'one')).toBeDefined();
    expect(materialOf(at, 'two')).toBeDefined();
    expect(asked).toBe(1);
    expect(account(at)).not.toHaveProperty('nextSealedKey');
    const notes = at.events.notes.filter(({ reason }) => reason === 'AccountChangeRefused');
    expect(notes).toMatchObject([
      { type: 'Warning', message: expect.stringContaining('not here') },
    ]);
    await at.end();
  },
);

test('a name below a delegation is proven by its edges: nobody asks our zone for it', async () => {
  const at = await acmeScene();
  const records = [{ name: 'shop', type: 'NS', values: ['ns.elsewhere.test.'] }];
  await at.configure('Zone', 'example', { records });
  const looked: string[] = [];
  at.looks(async ({ type }) => {
    looked.push(type);
    return undefined;
  });
  await order(at, { names: ['www.shop.example.com'] });
  expect(looked).toEqual(['http-01']);
  await at.end();
});

test('what is to be revoked waits for its account, and goes on once that is there', async () => {
  const at = await acmeScene({ settings: { lifetimeMs: 2 * DAY_MS } });
  await order(at);
  const fingerprint = materialOf(at)?.fingerprint ?? '';
  const { acme } = issuer(at)?.spec ?? {};
  await at.configure('Issuer', 'letsencrypt', { acme: { ...acme, termsOfServiceAgreed: false } });
  at.ca.forgetAccounts();
  await annotate(at, 'Certificate', 'blog', { [REVOKE_REQUESTED]: `${fingerprint} keyCompromise` });
  await finish(at, 10_000);
  expect(account(at)?.url).toBeUndefined();
  expect(at.world.record('revocation', fingerprint)?.value.revokedMs).toBeUndefined();
  await at.configure('Issuer', 'letsencrypt', { acme });
  await finish(at, HOUR_MS);
  expect(account(at)?.url).toBeDefined();
  // The new account may not; the certificate's own key may (RFC 8555 §7.6).
  expect(at.ca.certificates[0]?.revokedMs).toBeDefined();
  const revoked = at.world.record('revocation', fingerprint)?.value;
  expect(revoked?.revokedMs).toBeDefined();
  expect(revoked).not.toHaveProperty('sealedKey');
  await at.end();
});

test.each([
  { when: 'that was not kept', change: { sealedKey: undefined } },
  { when: 'that nobody can open any more', change: { sealedKey: 'sealed elsewhere|who knows' } },
])(
  'with a key $when, only the account may revoke: until it has ended it is asked',
  async ({ change }) => {
    const at = await acmeScene({ settings: { lifetimeMs: 2 * DAY_MS } });
    await order(at);
    const fingerprint = materialOf(at)?.fingerprint ?? '';
    at.ca.forgetAccounts();
    at.ca.setWeather({ faults: { unreachable: 1 }, flaws: {}, slowMsMax: 0 });
    await annotate(at, 'Certificate', 'blog', {
      [REVOKE_REQUESTED]: `${fingerprint} keyCompromise`,
    });
    const stored = at.world.record('revocation', fingerprint)?.value;
    if (stored === undefined) throw new Error('no revocation');
    await at.put('revocation', fingerprint, { ...stored, ...change } as typeof stored);
    at.ca.setWeather({ faults: {}, flaws: {}, slowMsMax: 0 });
    await finish(at, HOUR_MS);
    expect(at.ca.asked.revoke).toBeGreaterThan(1);
    expect(at.ca.certificates[0]?.revokedMs).toBeUndefined();
    await finish(at, 3 * DAY_MS);
    expect(at.world.records('revocation')).toEqual([]);
    await at.end();
  },
);

test('a Zone that leads its proofs elsewhere is not asked for them again and again', async () => {
  const at = await acmeScene({ deaf: ['a', 'b'] });
  const records = [{ name: '_acme-challenge.a', type: 'CNAME', values: ['x.elsewhere.test.'] }];
  await at.configure('Zone', 'example', { records });
  await order(at, { names: ['a.example.com'], ms: 600_000 });
  expect(at.ca.asked.readAuthorization).toBeLessThan(5);
  await at.end();
});

test('what a CA took just before it asked to be left alone does not end the rest', async () => {
  const at = await acmeScene();
  const trouble = { kind: 'account', reason: 'rateLimited', message: 'slow down' } as const;
  const given = issuer(at);
  if (!isAcme(given)) throw new Error('no Issuer');
  await noteAccount(at, given, { ...trouble, retryAfterMs: HOUR_MS });
  await at.settle();
  await noteAccount(at, given, undefined);
  await at.settle();
  expect(account(at)?.failure).toMatchObject({ message: 'slow down' });
  await at.clock.advance(HOUR_MS);
  await noteAccount(at, given, undefined);
  await at.settle();
  expect(account(at)?.failure).toBeUndefined();
  await at.end();
});

test.each([
  { when: 'the name is too long with the label before it', alias: undefined, at: '.example.com' },
  { when: 'others lead it to what is no name', alias: 'a b.example.com', at: '.elsewhere.test' },
])('$when: it is proven by the edges', async ({ alias, at: above }) => {
  const publicDns = {
    lookup: (_: string, type: string) =>
      Promise.resolve(type === 'CNAME' && alias !== undefined ? [alias] : []),
  };
  const at = await acmeScene({ publicDns, acme: { selfCheck: 'none' } });
  const looked: string[] = [];
  at.looks(async ({ type }) => {
    looked.push(type);
    return undefined;
  });
  const name = ['a', 'b', 'c'].map((letter) => letter.repeat(63)).join('.');
  await order(at, { names: [`${name}.${'d'.repeat(40)}${above}`] });
  expect(looked).toEqual(['http-01']);
  await at.end();
});

test('a chain beside the first that is none does not cost the certificate', async () => {
  const at = await acmeScene({
    acme: { preferredChain: 'another root' },
    acmeOf: ({ acme }): Acme => ({
      ...acme,
      download: async (...given) => [
        ...(await acme.download(...given)),
        'nothing that can be read',
      ],
    }),
  });
  await order(at);
  expect(materialOf(at)).toBeDefined();
  expect(at.ca.orders).toHaveLength(1);
  await at.end();
});

test('an Issuer that is made anew orders nothing again, and renews and revokes what is there', async () => {
  const at = await acmeScene();
  await order(at);
  const before = materialOf(at)?.fingerprint ?? '';
  const { acme } = issuer(at)?.spec ?? {};
  await at.remove('Issuer', 'letsencrypt');
  await at.create('Issuer', 'letsencrypt', { acme });
  await finish(at, DAY_MS);
  expect(materialOf(at)?.fingerprint).toBe(before);
  expect(at.ca.orders).toHaveLength(1);
  expect(at.ca.accounts).toHaveLength(2);
  const asked = at.ca.asked.renewalInfo ?? 0;
  await finish(at, 2 * DAY_MS);
  expect(at.ca.asked.renewalInfo).toBeGreaterThan(asked);

  await annotate(at, 'Certificate', 'blog', { [REVOKE_REQUESTED]: `${before} keyCompromise` });
  await finish(at, HOUR_MS);
  expect(at.ca.certificates[0]?.revokedMs).toBeDefined();
  expect(materialOf(at)?.fingerprint).not.toBe(before);
  await at.end();
});

test('another Issuer of the same CA with another profile gives another certificate', async () => {
  const profiles = { shortlived: { lifetimeMs: 6 * DAY_MS } };
  const at = await acmeScene({ settings: { profiles } });
  await order(at);
  const before = materialOf(at)?.fingerprint;
  const { acme } = issuer(at)?.spec ?? {};
  await at.create('Issuer', 'short', { acme: { ...acme, profile: 'shortlived' } });
  await at.configure('Certificate', 'blog', { ...certificateOf(at).spec, issuer: 'short' });
  await finish(at);
  expect(materialOf(at)?.fingerprint).not.toBe(before);
  await at.end();
});
