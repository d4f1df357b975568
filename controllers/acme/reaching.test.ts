import { expect, test } from 'vitest';
import { type Acme, AcmeProblem } from '../../runtime/acme/acme.ts';
import { CaUnreachableError, reachingAcme } from './reaching.ts';
import { StandingRefusals } from './standing-refusals.ts';

const signal = new AbortController().signal;
const account = { server: { directory: 'https://ca.test' }, url: 'https://ca.test/1', keyPem: '' };
const order = (...names: string[]) => ({ names, profile: undefined, replacesPem: undefined });

/** A CA that refuses all orders and lists, and says when to come back; and who asks it. */
function refusing() {
  const asked: string[] = [];
  const refuse = (what: string) => () => {
    asked.push(what);
    const document = { type: 'rateLimited', detail: 'Service busy; retry later', status: 429 };
    return Promise.reject(new AcmeProblem(document, 21_000));
  };
  const acme = {
    createOrder: refuse('createOrder'),
    listOrders: refuse('listOrders'),
    download: refuse('download'),
    revoke: () => Promise.reject(new Error('connection reset')),
  } as unknown as Acme;
  const clock = { atMs: 0, monotonicMs: () => clock.atMs };
  const refusals = new StandingRefusals(clock);
  const waits: number[] = [];
  /** As each reconcile has it. */
  const one = (): Acme => reachingAcme(acme, { told: (ms) => waits.push(ms), refusals });
  return { asked, clock, waits, one };
}

test('what the CA refuses one who asks, no other asks for until it says so', async () => {
  const { asked, clock, waits, one } = refusing();
  const [first, twin] = [one(), one()];
  await expect(first.createOrder(account, order('a.test', 'b.test'), signal)).rejects.toThrow();
  clock.atMs = 21;
  const again = twin.createOrder(account, order('b.test', 'a.test'), signal);
  await expect(again).rejects.toMatchObject({ retryAfterMs: 20_979 });
  expect(asked).toEqual(['createOrder']);
  expect(waits).toEqual([21_000, 20_979]);
  await expect(twin.createOrder(account, order('a.test'), signal)).rejects.toThrow();
  await expect(twin.listOrders(account, signal)).rejects.toThrow();
  expect(asked).toEqual(['createOrder', 'createOrder', 'listOrders']);
  clock.atMs = 21_000;
  await expect(twin.createOrder(account, order('a.test', 'b.test'), signal)).rejects.toThrow();
  expect(asked).toHaveLength(4);
});

test('a CA that cannot be reached has refused nothing', async () => {
  const { waits, one } = refusing();
  const request = { certificatePem: '', reason: 'superseded' } as const;
  const revoked = one().revoke(account, request as never, signal);
  await expect(revoked).rejects.toBeInstanceOf(CaUnreachableError);
  expect(waits).toEqual([]);
});
