import { beforeEach, describe, expect, test } from 'vitest';
import { countedRandom } from '../../fake-random.fixture.ts';
import { type VirtualClock, virtualClock } from '../../test-clock.ts';
import { fakeCertificateReader } from '../../tls/fake-certificate-reader.ts';
import { type AcmeAccount, AcmeProblem } from '../acme.ts';
import { LETS_ENCRYPT_LIMITS } from '../limits.ts';
import { createFakeAcmeCa, type FakeAcmeCa } from './ca.ts';
import { fakeAcme } from './fake-acme.ts';
import type { FakeAcmeFault, FakeAcmeFlaw } from './weather.ts';

const { signal } = new AbortController();
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const NAMES = ['a.example.com'];

let clock: VirtualClock;
let ca: FakeAcmeCa;
let acme: ReturnType<typeof fakeAcme>;
let account: AcmeAccount;
/** What the CA finds when it looks. */
let found: string | undefined;
beforeEach(async () => {
  clock = virtualClock();
  found = undefined;
  ca = createFakeAcmeCa({ clock, random: countedRandom(1), validate: async () => found });
  acme = fakeAcme({ random: countedRandom(2), cas: [ca] });
  account = await register();
});

describe('weather', () => {
  test.each([
    { fault: 'unreachable', placed: 0, says: 'connection refused' },
    { fault: 'lost', placed: 1, says: 'connection reset' },
    { fault: 'nonsense', placed: 1, says: 'is no ACME' },
    { fault: 'serverError', placed: 0, says: 'serverInternal' },
    { fault: 'rateLimited', placed: 0, says: 'rateLimited' },
    { fault: 'badNonce', placed: 0, says: 'badNonce' },
  ] satisfies readonly { fault: FakeAcmeFault; placed: number; says: string }[])(
    'an order that meets $fault: $placed placed',
    async ({ fault, placed, says }) => {
      ca.failNext('createOrder', fault);
      await expect(acme.createOrder(account, { names: NAMES }, signal)).rejects.toThrow(says);
      expect(ca.ordersOf(NAMES)).toHaveLength(placed);
      await acme.createOrder(account, { names: NAMES }, signal);
      expect(ca.ordersOf(NAMES)).toHaveLength(placed + 1);
    },
  );

  test('who gets no answer gives up after the time of a call, or when told to', async () => {
    ca.failNext('createOrder', 'hangs');
    const placing = acme.createOrder(account, { names: NAMES }, signal);
    void clock.advance(30_000);
    await expect(placing).rejects.toThrow('no answer within 30000 ms');
    ca.failNext('createOrder', 'hangs');
    const giving = new AbortController();
    const abandoned = acme.createOrder(account, { names: NAMES }, giving.signal);
    giving.abort(new Error('dom stops'));
    await expect(abandoned).rejects.toThrow('dom stops');
    expect(ca.orders).toEqual([]);
  });

  test('a slow CA answers in the end', async () => {
    ca.setWeather({ faults: {}, flaws: {}, slowMsMax: 5_000 });
    const placing = acme.createOrder(account, { names: NAMES }, signal);
    void clock.advance(5_000);
    expect(await placing).toMatchObject({ status: 'pending' });
  });

  test('half of the requests that fail are half of them, and the same ones each time', async () => {
    const fates = async (): Promise<readonly boolean[]> => {
      const one = createFakeAcmeCa({
        clock,
        random: countedRandom(7),
        validate: async () => found,
      });
      one.setWeather({ faults: { unreachable: 0.5 }, flaws: {}, slowMsMax: 0 });
      const asking = Array.from({ length: 200 }, () =>
        one.requests.directory({ directory: one.directory }, signal).then(
          () => true,
          () => false,
        ),
      );
      return await Promise.all(asking);
    };
    const first = await fates();
    expect(await fates()).toEqual(first);
    expect(first.filter((fate) => fate).length).toBeGreaterThan(70);
    expect(first.filter((fate) => fate).length).toBeLessThan(130);
  });

  test('an order may come back with other names', async () => {
    ca.failNext('createOrder', 'wrongNames');
    const order = await acme.createOrder(account, { names: NAMES }, signal);
    expect(order.names).not.toEqual(NAMES);
  });

  test('every step is counted, also when it fails', async () => {
    ca.failNext('createOrder', 'unreachable');
    await expect(acme.createOrder(account, { names: NAMES }, signal)).rejects.toThrow();
    await acme.createOrder(account, { names: NAMES }, signal);
    expect(ca.asked).toMatchObject({ register: 1, createOrder: 2 });
  });
});

describe('flawed certificates are seen to be so', () => {
  test.each([
    { flaw: 'wrongNames', wrong: { names: ['wrong.a.example.com'] } },
    { flaw: 'otherKey', wrong: { problems: [expect.stringContaining('private key')] } },
    { flaw: 'brokenChain', wrong: { problems: [expect.stringContaining('did not sign')] } },
  ] satisfies readonly { flaw: FakeAcmeFlaw; wrong: object }[])(
    '$flaw',
    async ({ flaw, wrong }) => {
      ca.spoilNext(flaw);
      expect(await obtain(NAMES)).toMatchObject(wrong);
      expect(await obtain(NAMES)).toMatchObject({ names: NAMES, problems: [] });
    },
  );

  test('expired, and not valid yet', async () => {
    ca.spoilNext('expired');
    expect((await obtain(NAMES)).notAfterMs).toBeLessThan(clock.nowMs());
    ca.spoilNext('notYetValid');
    expect((await obtain(NAMES)).notBeforeMs).toBeGreaterThan(clock.nowMs());
  });
});

describe("Let's Encrypt's limits", () => {
  beforeEach(() => ca.set({ limits: LETS_ENCRYPT_LIMITS }));

  test('five certificates for one set of names, the sixth when one is refilled', async () => {
    for (let count = 0; count < 5; count += 1) await obtain(NAMES);
    const limited = await refusal(acme.createOrder(account, { names: NAMES }, signal));
    expect(limited.document).toMatchObject({ type: 'rateLimited', status: 429 });
    expect(limited.retryAfterMs).toBe(34 * HOUR_MS);
    await clock.advance(34 * HOUR_MS);
    await obtain(NAMES);
    await refusal(acme.createOrder(account, { names: NAMES }, signal));
  });

  test('fifty certificates for one registered domain; others go on', async () => {
    for (let count = 0; count < 50; count += 1) await obtain([`n${count}.example.com`]);
    const limited = await refusal(
      acme.createOrder(account, { names: ['new.example.com'] }, signal),
    );
    expect(limited.retryAfterMs).toBe(202 * MINUTE_MS);
    await obtain(['n7.example.com']);
    await obtain(['a.example.org']);
  });

  test('three hundred orders of one account, other accounts go on', async () => {
    for (let count = 0; count < 300; count += 1)
      await acme.createOrder(account, { names: [`a.n${count}.test`] }, signal);
    const limited = await refusal(acme.createOrder(account, { names: NAMES }, signal));
    expect(limited.retryAfterMs).toBe(36_000);
    const other = await register();
    await acme.createOrder(other, { names: NAMES }, signal);
    await clock.advance(36_000);
    await acme.createOrder(account, { names: NAMES }, signal);
  });

  test('five failures of one name; others of the account go on', async () => {
    found = 'nothing there';
    for (let count = 0; count < 5; count += 1) await tryToProve(NAMES);
    const limited = await refusal(acme.createOrder(account, { names: NAMES }, signal));
    expect(limited).toMatchObject({ retryAfterMs: 12 * MINUTE_MS });
    found = undefined;
    await obtain(['b.example.com']);
    await clock.advance(12 * MINUTE_MS);
    await obtain(NAMES);
  });

  test('ten accounts', async () => {
    for (let count = 0; count < 10; count += 1) await register();
    await expect(register()).rejects.toMatchObject({ retryAfterMs: 18 * MINUTE_MS });
  });

  test('an order that replaces when the CA suggests it counts for none', async () => {
    for (let count = 0; count < 5; count += 1) await obtain(NAMES);
    const last = ca.certificates.at(-1);
    const replacesPem = last?.chains[0] ?? '';
    await refusal(acme.createOrder(account, { names: NAMES, replacesPem }, signal));
    ca.suggestRenewal(last?.serialNumber ?? '', {
      startMs: clock.nowMs(),
      endMs: clock.nowMs() + 1,
    });
    await acme.createOrder(account, { names: NAMES, replacesPem }, signal);
  });

  test('and neither does its certificate', async () => {
    await obtain(NAMES);
    for (let count = 0; count < 8; count += 1) {
      const newest = ca.certificates.at(-1);
      const window = { startMs: clock.nowMs(), endMs: clock.nowMs() + 1 };
      ca.suggestRenewal(newest?.serialNumber ?? '', window);
      await obtain(NAMES, newest?.chains[0]);
    }
    for (let count = 0; count < 4; count += 1) await obtain(NAMES);
    await refusal(acme.createOrder(account, { names: NAMES }, signal));
  });
});

describe('what a CA does by itself', () => {
  test('it suggests that a certificate be renewed now, and says why', async () => {
    await obtain(NAMES);
    const [one] = ca.certificates;
    const renewal = { startMs: 1, endMs: 2, explanationUrl: 'https://ca.test/why' };
    ca.suggestRenewal(one?.serialNumber ?? '', renewal);
    const chain = one?.chains[0] ?? '';
    expect(await acme.renewalInfo(account.server, chain, signal)).toMatchObject(renewal);
  });

  test('it revokes a certificate', async () => {
    await obtain(NAMES);
    const [one] = ca.certificates;
    ca.revoke(one?.serialNumber ?? '');
    const info = await acme.renewalInfo(account.server, one?.chains[0] ?? '', signal);
    expect(info?.endMs).toBeLessThanOrEqual(clock.nowMs());
  });

  test('it looks later, and the order is processed for a while', async () => {
    ca.set({ validationMsMax: 60_000, finalizeMsMax: 60_000, retryAfterMs: 3_000 });
    const order = await acme.createOrder(account, { names: NAMES }, signal);
    expect(order.retryAfterMs).toBe(3_000);
    await answer(order.authorizations);
    expect(await status(order.url)).toBe('pending');
    await clock.advance(60_000);
    expect(await status(order.url)).toBe('ready');
    await finalize(order.url);
    expect(await status(order.url)).toBe('processing');
    await clock.advance(60_000);
    expect(await status(order.url)).toBe('valid');
  });

  test('what is left open becomes invalid, and proofs run out', async () => {
    ca.set({ openMs: HOUR_MS, provenMs: 2 * HOUR_MS, authorizationReuse: 1 });
    const open = await acme.createOrder(account, { names: NAMES }, signal);
    await clock.advance(HOUR_MS);
    expect(await status(open.url)).toBe('invalid');
    expect(await acme.listOrders(account, signal)).toEqual([]);
    await obtain(NAMES);
    expect((await acme.createOrder(account, { names: NAMES }, signal)).status).toBe('ready');
    await clock.advance(2 * HOUR_MS);
    expect((await acme.createOrder(account, { names: NAMES }, signal)).status).toBe('pending');
  });

  test('it takes proofs back', async () => {
    ca.set({ authorizationReuse: 1 });
    await obtain(NAMES);
    ca.revokeAuthorizations();
    expect((await acme.createOrder(account, { names: NAMES }, signal)).status).toBe('pending');
  });

  test('it hands an open order out again, as Let’s Encrypt', async () => {
    ca.set({ reusesOrders: true, keepsOrderList: false });
    const first = await acme.createOrder(account, { names: NAMES }, signal);
    const again = await acme.createOrder(account, { names: NAMES }, signal);
    expect(again.url).toBe(first.url);
    expect(await acme.listOrders(account, signal)).toBeUndefined();
    expect((await acme.createOrder(await register(), { names: NAMES }, signal)).url).not.toBe(
      first.url,
    );
  });

  test('it loses its accounts', async () => {
    ca.forgetAccounts();
    const lost = await refusal(acme.createOrder(account, { names: NAMES }, signal));
    expect(lost.document.type).toBe('accountDoesNotExist');
    expect(await acme.findAccount(account.server, account.keyPem, signal)).toBeUndefined();
  });
});

async function register(): Promise<AcmeAccount> {
  const server = { directory: ca.directory };
  const keyPem = await acme.makeKey('ecdsa-p256');
  return { server, keyPem, url: await acme.register(server, { keyPem, contact: [] }, signal) };
}

async function answer(authorizations: readonly string[]): Promise<void> {
  for (const url of authorizations) {
    const { challenges } = await acme.readAuthorization(account, url, signal);
    await acme.answerChallenge(account, challenges[0]?.url ?? '', signal);
  }
}

async function tryToProve(names: readonly string[]): Promise<void> {
  const order = await acme.createOrder(account, { names }, signal);
  await answer(order.authorizations);
}

async function status(url: string): Promise<string> {
  return (await acme.readOrder(account, url, signal)).status;
}

async function finalize(orderUrl: string): Promise<string> {
  const { finalizeUrl, names } = await acme.readOrder(account, orderUrl, signal);
  const keyPem = await acme.makeKey('ecdsa-p256');
  await acme.finalize(account, { orderUrl, finalizeUrl, names, keyPem }, signal);
  return keyPem;
}

async function obtain(
  names: readonly string[],
  replacesPem?: string,
): Promise<ReturnType<typeof fakeCertificateReader.read>> {
  const order = await acme.createOrder(account, { names, replacesPem }, signal);
  if (order.status === 'pending') await answer(order.authorizations);
  const keyPem = await finalize(order.url);
  const { certificateUrl = '' } = await acme.readOrder(account, order.url, signal);
  const [chain = ''] = await acme.download(account, certificateUrl, signal);
  return fakeCertificateReader.read(chain, keyPem);
}

async function refusal(attempt: Promise<unknown>): Promise<AcmeProblem> {
  const error = await attempt.catch((reason: unknown) => reason);
  if (error instanceof AcmeProblem) return error;
  throw new Error('the CA did not refuse', { cause: error });
}
