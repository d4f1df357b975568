import { afterEach, describe, expect, test } from 'vitest';
import { type AcmeAccount, type AcmeDirectory, CHALLENGE_TYPES } from './acme.ts';
import {
  type AcmeAbility,
  type AcmeScene,
  type AcmeSceneOptions,
  type AcmeUnderTest,
  CONTACT,
  finish,
  issuedOrder,
  newAccount,
  obtain,
  proveName,
  readyOrder,
  refusal,
  settledAuthorization,
  signal,
} from './scene.case.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const NAMES = ['shop.example.com', 'www.shop.example.com'];

/** The contract of `Acme` with a CA behind it: every pair of them passes it. */
export function acmeCases({ open, lacks }: AcmeUnderTest): void {
  let scene: AcmeScene | undefined;
  afterEach(async () => {
    await scene?.close();
    scene = undefined;
  });

  async function start(
    options: AcmeSceneOptions = {},
  ): Promise<{ readonly scene: AcmeScene; readonly account: AcmeAccount }> {
    scene = await open(options);
    return { scene, account: await newAccount(scene) };
  }

  describe('accounts', () => accountCases(start));
  describe('proofs', () => proofCases(start));
  describe('orders', () => orderCases(start));
  describe('certificates', () => certificateCases(start));
  describe('what not every CA can do', () => abilityCases(start, lacks));
}

type Start = (
  options?: AcmeSceneOptions,
) => Promise<{ readonly scene: AcmeScene; readonly account: AcmeAccount }>;

function accountCases(start: Start): void {
  test('a key has one account, however often it is registered (RFC 8555 §7.3)', async () => {
    const { scene, account } = await start();
    const { acme, server } = scene;
    const { keyPem } = account;
    expect(await acme.register(server, { keyPem, contact: CONTACT }, signal)).toBe(account.url);
    expect(await acme.findAccount(server, keyPem, signal)).toBe(account.url);
    const other = await newAccount(scene);
    expect(other.url).not.toBe(account.url);
  });

  test('the CA knows no account of a key that was never registered (§7.3.1)', async () => {
    const { scene } = await start();
    const { acme, server } = scene;
    const keyPem = await acme.makeKey('ecdsa-p256');
    expect(await acme.findAccount(server, keyPem, signal)).toBeUndefined();
  });

  test('a deactivated account is refused, also when it is looked for by its key (§7.3.6)', async () => {
    const { scene, account } = await start();
    const { acme, server } = scene;
    await scene.deactivate(account);
    const { keyPem } = account;
    const attempts = [
      () => acme.createOrder(account, { names: NAMES }, signal),
      () => acme.updateContact(account, [], signal),
      () => acme.findAccount(server, keyPem, signal),
      () => acme.register(server, { keyPem, contact: CONTACT }, signal),
    ];
    for (const attempt of attempts)
      expect((await refusal(attempt())).document.type).toBe('unauthorized');
  });

  test('a contact can be changed, and left away (§7.3.2)', async () => {
    const { scene, account } = await start();
    await scene.acme.updateContact(account, ['mailto:new@example.com'], signal);
    await scene.acme.updateContact(account, [], signal);
    expect(await scene.acme.findAccount(scene.server, account.keyPem, signal)).toBe(account.url);
  });

  test('after a change of keys only the new one speaks for the account (§7.3.5)', async () => {
    const { scene, account } = await start();
    const { acme, server } = scene;
    const newKeyPem = await acme.makeKey('ecdsa-p256');
    await acme.changeKey(account, newKeyPem, signal);
    const changed = { ...account, keyPem: newKeyPem };
    expect(await acme.findAccount(server, newKeyPem, signal)).toBe(account.url);
    expect(await acme.findAccount(server, account.keyPem, signal)).toBeUndefined();
    await refusal(acme.createOrder(account, { names: NAMES }, signal));
    expect((await obtain(scene, changed, NAMES)).chains).toHaveLength(1);
  });

  test('the key of one account cannot become that of another (§7.3.5)', async () => {
    const { scene, account } = await start();
    const other = await newAccount(scene);
    await refusal(scene.acme.changeKey(account, other.keyPem, signal));
    expect(await scene.acme.findAccount(scene.server, account.keyPem, signal)).toBe(account.url);
  });

  test('a CA that wants accounts bound says so, and takes none that is not (§7.3.4)', async () => {
    const { scene, account } = await start({ externalAccount: 'required' });
    const { acme, server, externalAccount } = scene;
    expect(await acme.directory(server, signal)).toMatchObject({ externalAccountRequired: true });
    expect((await obtain(scene, account, NAMES)).chains).toHaveLength(1);
    const keyPem = await acme.makeKey('ecdsa-p256');
    const { document } = await refusal(acme.register(server, { keyPem, contact: [] }, signal));
    expect(document.type).toBe('externalAccountRequired');
    const wrong = { keyId: externalAccount?.keyId ?? '', macKey: 'd3Jvbmc' };
    const request = { keyPem, contact: [], externalAccount: wrong };
    await refusal(acme.register(server, request, signal));
  });

  test('an account that the CA does not know is refused', async () => {
    const { scene, account } = await start();
    const unknown = { ...account, url: `${account.url}00` };
    const { document } = await refusal(scene.acme.createOrder(unknown, { names: NAMES }, signal));
    expect(document.type).toBe('accountDoesNotExist');
  });

  test('what is another account’s is not shown', async () => {
    const { scene, account } = await start();
    const other = await newAccount(scene);
    const order = await scene.acme.createOrder(account, { names: NAMES }, signal);
    await refusal(scene.acme.readOrder(other, order.url, signal));
    const [url = ''] = order.authorizations;
    await refusal(scene.acme.readAuthorization(other, url, signal));
  });

  test('nobody there is no refusal', async () => {
    const { scene, account } = await start();
    const lost = { ...account, server: scene.nowhere };
    const asking = scene.acme.createOrder(lost, { names: NAMES }, signal);
    await expect(asking).rejects.toThrow(scene.nowhere.directory);
    await expect(asking).rejects.not.toMatchObject({ name: 'AcmeProblem' });
  });

  test('a call that is given up ends with the reason', async () => {
    const { scene, account } = await start();
    const reason = new Error('given up');
    const abandoned = scene.acme.createOrder(account, { names: NAMES }, AbortSignal.abort(reason));
    await expect(abandoned).rejects.toBe(reason);
  });
}

function proofCases(start: Start): void {
  test.each(CHALLENGE_TYPES.map((type) => ({ type })))('$type proves names', async ({ type }) => {
    const { scene, account } = await start();
    const order = await readyOrder(scene, account, { names: NAMES, type });
    expect(order.status).toBe('ready');
    const { chain, keyPem } = await finish(scene, account, order);
    expect(scene.reader.read(chain, keyPem)).toMatchObject({ names: NAMES, problems: [] });
  });

  test('a wildcard is proven by dns-01 alone, beside the name itself', async () => {
    const { scene, account } = await start();
    const names = ['*.example.com', 'example.com'];
    const order = await scene.acme.createOrder(account, { names }, signal);
    expect(order.names).toEqual(names);
    const authorizations = [];
    for (const url of order.authorizations)
      authorizations.push(await scene.acme.readAuthorization(account, url, signal));
    const wildcard = authorizations.find((one) => one.wildcard);
    expect(authorizations.map((one) => one.name)).toEqual(['example.com', 'example.com']);
    expect(wildcard?.challenges.map((one) => one.type)).toEqual(['dns-01']);
    const { chain } = await obtain(scene, account, names);
    expect(scene.reader.read(chain).names).toEqual(names);
  });

  test('tokens are base64url, and what answers them names the key (§8.1)', async () => {
    const { scene, account } = await start();
    const order = await scene.acme.createOrder(account, { names: NAMES }, signal);
    for (const url of order.authorizations) {
      const { challenges } = await scene.acme.readAuthorization(account, url, signal);
      expect(challenges.map((one) => one.type).toSorted()).toEqual(CHALLENGE_TYPES.toSorted());
      for (const { token } of challenges) {
        expect(token).toMatch(/^[A-Za-z0-9_-]{22,}$/);
        const answer = scene.acme.keyAuthorization(token, account.keyPem);
        expect(answer).toMatch(/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}$/);
      }
    }
  });

  test.each(CHALLENGE_TYPES.map((type) => ({ type })))(
    'a proof by $type that is not there spoils the order, and the challenge says why',
    async ({ type }) => {
      const { scene, account } = await start();
      const [name = ''] = NAMES;
      const order = await scene.acme.createOrder(account, { names: [name] }, signal);
      const [url = ''] = order.authorizations;
      const { challenges } = await scene.acme.readAuthorization(account, url, signal);
      const challenge = challenges.find((one) => one.type === type);
      await scene.acme.answerChallenge(account, challenge?.url ?? '', signal);
      const settled = await settledAuthorization(scene, account, url);
      expect(settled.status).toBe('invalid');
      const failed = settled.challenges.find((one) => one.type === type);
      expect(failed).toMatchObject({ status: 'invalid' });
      expect(failed?.problem?.detail).not.toBe('');
      const { status } = await scene.acme.readOrder(account, order.url, signal);
      expect(status).toBe('invalid');
    },
  );

  test('the CA may take its time, and may be told to look twice', async () => {
    const { scene, account } = await start({ looks: 'late' });
    const [name = ''] = NAMES;
    const order = await scene.acme.createOrder(account, { names: [name] }, signal);
    const [url = ''] = order.authorizations;
    const authorization = await scene.acme.readAuthorization(account, url, signal);
    await proveName(scene, account, authorization, 'dns-01');
    await proveName(scene, account, authorization, 'dns-01');
    expect(await settledAuthorization(scene, account, url)).toMatchObject({ status: 'valid' });
    await proveName(scene, account, authorization, 'dns-01');
    expect(await scene.acme.readOrder(account, order.url, signal)).toMatchObject({
      status: 'ready',
    });
  });

  test('a CA that remembers a proof has the next order ready at once (§7.1.3)', async () => {
    const { scene, account } = await start({ authorizationReuse: 'always' });
    await obtain(scene, account, NAMES);
    const again = await scene.acme.createOrder(account, { names: NAMES }, signal);
    expect(again.status).toBe('ready');
    expect((await finish(scene, account, again)).chains).toHaveLength(1);
  });

  test('a CA that does not remember asks for proof each time', async () => {
    const { scene, account } = await start();
    await obtain(scene, account, NAMES);
    const again = await scene.acme.createOrder(account, { names: NAMES }, signal);
    expect(again.status).toBe('pending');
  });
}

function orderCases(start: Start): void {
  test('an order reads the same again', async () => {
    const { scene, account } = await start();
    const order = await scene.acme.createOrder(account, { names: NAMES }, signal);
    expect(order).toMatchObject({ status: 'pending' });
    expect(order.names).toEqual(NAMES);
    expect(order.authorizations).toHaveLength(NAMES.length);
    const again = await scene.acme.readOrder(account, order.url, signal);
    // The CA may name its authorizations in another order.
    const authorizations = order.authorizations.toSorted();
    expect(again.authorizations.toSorted()).toEqual(authorizations);
    expect({ ...again, authorizations }).toEqual({ ...order, authorizations });
  });

  test('names in capitals are the same names', async () => {
    const { scene, account } = await start();
    const order = await scene.acme.createOrder(account, { names: ['Shop.Example.COM'] }, signal);
    expect(order.names).toEqual(['shop.example.com']);
  });

  test('what is no name is not ordered', async () => {
    const { scene, account } = await start();
    for (const names of [[], ['not a name']])
      await refusal(scene.acme.createOrder(account, { names }, signal));
  });

  test('an order is not finalized before its names are proven, nor twice (§7.4)', async () => {
    const { scene, account } = await start();
    const { acme } = scene;
    const order = await acme.createOrder(account, { names: NAMES }, signal);
    const { url: orderUrl, finalizeUrl } = order;
    const keyPem = await acme.makeKey('ecdsa-p256');
    const request = { orderUrl, finalizeUrl, names: NAMES, keyPem };
    const early = await refusal(acme.finalize(account, request, signal));
    expect(early.document).toMatchObject({ type: 'orderNotReady', status: 403 });
    for (const url of order.authorizations) {
      await proveName(scene, account, await acme.readAuthorization(account, url, signal), 'dns-01');
      await settledAuthorization(scene, account, url);
    }
    await acme.finalize(account, request, signal);
    const issued = await issuedOrder(scene, account, orderUrl);
    const late = await refusal(acme.finalize(account, request, signal));
    expect(late.document).toMatchObject({ type: 'orderNotReady', status: 403 });
    // It is as if the second had never been.
    const [chain = ''] = await acme.download(account, issued.certificateUrl ?? '', signal);
    expect(scene.reader.read(chain, keyPem).problems).toEqual([]);
  });

  test('a request for other names than the order’s is refused', async () => {
    const { scene, account } = await start();
    const order = await readyOrder(scene, account, { names: NAMES });
    const keyPem = await scene.acme.makeKey('ecdsa-p256');
    const { url: orderUrl, finalizeUrl } = order;
    const request = { orderUrl, finalizeUrl, names: ['other.example.com'], keyPem };
    await refusal(scene.acme.finalize(account, request, signal));
  });

  test('the list holds every order, over all its pages (§7.1.2.1)', async () => {
    const { scene, account } = await start();
    expect(await scene.acme.listOrders(account, signal)).toEqual([]);
    const placed: string[] = [];
    for (let count = 0; count < 8; count += 1) {
      const order = await scene.acme.createOrder(account, { names: NAMES }, signal);
      placed.push(order.url);
    }
    const listed = await scene.acme.listOrders(account, signal);
    // The oldest first: who looks for what was just placed looks at the end.
    expect(listed).toEqual(placed);
    expect(await scene.acme.listOrders(await newAccount(scene), signal)).toEqual([]);
  });

  test('many orders are placed at the same time', async () => {
    const { scene, account } = await start();
    const placing = Array.from({ length: 24 }, (_, index) =>
      scene.acme.createOrder(account, { names: [`n${index}.example.com`] }, signal),
    );
    const orders = await Promise.all(placing);
    expect(new Set(orders.map((order) => order.url)).size).toBe(24);
  });
}

function certificateCases(start: Start): void {
  test.each([
    { intermediates: 1, keyType: 'ecdsa-p256' },
    { intermediates: 2, keyType: 'rsa-2048' },
    { intermediates: 3, keyType: 'ecdsa-p256' },
  ] as const)(
    'a chain over $intermediates intermediates, for a key of $keyType',
    async ({ intermediates, keyType }) => {
      const { scene, account } = await start({ intermediates });
      const order = await readyOrder(scene, account, { names: NAMES });
      const { chains, chain, keyPem } = await finish(scene, account, order, keyType);
      expect(chains).toHaveLength(1);
      expect(chain.match(/BEGIN CERTIFICATE/g)).toHaveLength(intermediates + 1);
      const facts = scene.reader.read(chain, keyPem);
      expect(facts).toMatchObject({ names: NAMES, keyType, problems: [] });
      expect(facts.issuers).toHaveLength(intermediates + 1);
      expect(facts.issuers.at(-1)).toBe(scene.roots[0]);
      expect(facts.fingerprint).toMatch(/^[0-9a-f]{64}$/);
      expect(facts.serialNumber).toMatch(/^[0-9a-f]+$/);
    },
  );

  test('it lives as long as the CA says', async () => {
    const { scene, account } = await start({ lifetimeMs: 6 * DAY_MS });
    const { chain } = await obtain(scene, account, NAMES);
    const { notBeforeMs, notAfterMs } = scene.reader.read(chain);
    const lifetimeMs = notAfterMs - notBeforeMs;
    // CAs count the last second, or they do not.
    expect(6 * DAY_MS - lifetimeMs).toBeGreaterThanOrEqual(0);
    expect(6 * DAY_MS - lifetimeMs).toBeLessThanOrEqual(1_000);
  });

  test('alternate chains lead the same certificate to other roots (§7.4.2)', async () => {
    const { scene, account } = await start({ alternates: 2 });
    const { chains, keyPem } = await obtain(scene, account, NAMES);
    const facts = chains.map((chain) => scene.reader.read(chain, keyPem));
    expect(facts.map((one) => one.issuers.at(-1))).toEqual(scene.roots);
    expect(facts.flatMap((one) => one.problems)).toEqual([]);
    expect(new Set(facts.map((one) => one.serialNumber)).size).toBe(1);
  });

  test('it can be downloaded again, and is the same', async () => {
    const { scene, account } = await start();
    const order = await readyOrder(scene, account, { names: NAMES });
    const { chain } = await finish(scene, account, order);
    const { certificateUrl = '' } = await scene.acme.readOrder(account, order.url, signal);
    expect(await scene.acme.download(account, certificateUrl, signal)).toEqual([chain]);
  });

  test('a key that is not its own does not pass', async () => {
    const { scene, account } = await start();
    const { chain } = await obtain(scene, account, NAMES);
    const other = await scene.acme.makeKey('ecdsa-p256');
    expect(scene.reader.read(chain, other).problems).toEqual([
      'the private key does not belong to the certificate',
    ]);
  });

  test('it is revoked, and revoking it twice is as once (§7.6)', async () => {
    const { scene, account } = await start();
    const { chain: chainPem } = await obtain(scene, account, NAMES);
    await scene.acme.revoke(account, { chainPem, reason: 'superseded' }, signal);
    await scene.acme.revoke(account, { chainPem, reason: 'superseded' }, signal);
  });

  test('another account cannot revoke it', async () => {
    const { scene, account } = await start();
    const { chain: chainPem } = await obtain(scene, account, NAMES);
    const other = await newAccount(scene);
    await refusal(scene.acme.revoke(other, { chainPem, reason: 'unspecified' }, signal));
  });

  test('its own key can, whichever the account, and another key cannot (§7.6)', async () => {
    const { scene, account } = await start();
    const { chain: chainPem, keyPem } = await obtain(scene, account, NAMES);
    const other = await newAccount(scene);
    const wrong = {
      chainPem,
      reason: 'unspecified',
      keyPem: await scene.acme.makeKey('ecdsa-p256'),
    };
    await refusal(scene.acme.revoke(other, { ...wrong, reason: 'unspecified' }, signal));
    const request = { chainPem, reason: 'keyCompromise', keyPem } as const;
    await scene.acme.revoke(other, request, signal);
    await scene.acme.revoke(other, request, signal);
  });
}

/** As the directory says it. */
function can(directory: AcmeDirectory, ability: AcmeAbility): boolean {
  switch (ability) {
    case 'renewal information':
    case 'orders that replace':
      return directory.hasRenewalInfo;
    case 'profiles':
      return Object.keys(directory.profiles).length > 0;
    case 'CAA names':
      return directory.caaIdentities.length > 0;
  }
}

function abilityCases(start: Start, lacks: AcmeUnderTest['lacks']): void {
  function able(ability: AcmeAbility, when: string, check: () => Promise<void>): void {
    if (lacks[ability] === undefined) test(`${ability}: ${when}`, check);
  }

  // Once it can do that, this fails: its cases are for it, too, from then on.
  test.each(Object.entries(lacks))('without %s: %s', async (ability) => {
    const { scene } = await start();
    const directory = await scene.acme.directory(scene.server, signal);
    expect(can(directory, ability as AcmeAbility)).toBe(false);
  });

  test('a CA without renewal information, or without that certificate, says nothing', async () => {
    const { scene, account } = await start();
    const { chain } = await obtain(scene, account, NAMES);
    const { hasRenewalInfo } = await scene.acme.directory(scene.server, signal);
    const said = await scene.acme.renewalInfo(scene.server, chain, signal);
    expect(said !== undefined).toBe(hasRenewalInfo);
  });

  able('CAA names', 'the directory says what CAA records may allow it by', async () => {
    const { scene } = await start();
    const { caaIdentities } = await scene.acme.directory(scene.server, signal);
    expect(caaIdentities).toEqual(['ca.test']);
  });

  able('renewal information', 'a window within the life of the certificate', async () => {
    const { scene, account } = await start();
    const { chain } = await obtain(scene, account, NAMES);
    const { notBeforeMs, notAfterMs } = scene.reader.read(chain);
    const info = await scene.acme.renewalInfo(scene.server, chain, signal);
    expect(info?.startMs).toBeGreaterThan(notBeforeMs);
    expect(info?.endMs).toBeGreaterThan(info?.startMs ?? 0);
    expect(info?.endMs).toBeLessThan(notAfterMs);
    expect(info?.retryAfterMs).toBeGreaterThanOrEqual(60_000);
    expect(info?.retryAfterMs).toBeLessThanOrEqual(DAY_MS);
  });

  able('renewal information', 'a window in the past once it is revoked', async () => {
    const { scene, account } = await start();
    const { chain: chainPem } = await obtain(scene, account, NAMES);
    const before = await scene.acme.renewalInfo(scene.server, chainPem, signal);
    await scene.acme.revoke(account, { chainPem, reason: 'keyCompromise' }, signal);
    const after = await scene.acme.renewalInfo(scene.server, chainPem, signal);
    expect(after?.endMs).toBeLessThan(before?.startMs ?? 0);
  });

  able('orders that replace', 'once, and only what is one’s own (RFC 9773 §5)', async () => {
    const { scene, account } = await start();
    const { chain: replacesPem } = await obtain(scene, account, NAMES);
    const request = { names: NAMES, replacesPem };
    const other = await newAccount(scene);
    await refusal(scene.acme.createOrder(other, request, signal));
    expect(await readyOrder(scene, account, request)).toMatchObject({ status: 'ready' });
    const { document } = await refusal(scene.acme.createOrder(account, request, signal));
    expect(document).toMatchObject({ type: 'alreadyReplaced', status: 409 });
  });

  able('profiles', 'one that it offers shapes the certificate', async () => {
    const { scene, account } = await start();
    const { profiles } = await scene.acme.directory(scene.server, signal);
    expect(Object.keys(profiles)).toContain('shortlived');
    const order = await readyOrder(scene, account, { names: NAMES, profile: 'shortlived' });
    const { chain } = await finish(scene, account, order);
    const { notBeforeMs, notAfterMs } = scene.reader.read(chain);
    expect(notAfterMs - notBeforeMs).toBeLessThan(7 * DAY_MS);
  });

  able('profiles', 'one that it does not offer is refused', async () => {
    const { scene, account } = await start();
    const request = { names: NAMES, profile: 'everlasting' };
    const { document } = await refusal(scene.acme.createOrder(account, request, signal));
    expect(document.type).toBe('invalidProfile');
  });
}
