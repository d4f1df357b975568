import { expect, test } from 'vitest';
import { RENEW_REQUESTED } from '../../api/requests.ts';
import { type Acme, AcmeProblem } from '../../runtime/acme/acme.ts';
import { LETS_ENCRYPT_LIMITS } from '../../runtime/acme/limits.ts';
import type { Scene } from '../test-scene.ts';
import { acmeController } from './controller.ts';
import type { AcmePorts } from './ports.ts';
import {
  acmeScene,
  annotate,
  certificateOf,
  DIRECTORY,
  finish,
  issuanceOf,
  materialOf,
  order,
} from './test-acme.ts';

const MINUTE_MS = 60_000;
const counts = (at: Scene) => at.world.records('acmeCount').map(([, { value }]) => value);
const SET = 'too many certificates (5) already issued for this exact set of identifiers';

function limited(detail: string, retryAfterMs?: number): AcmeProblem {
  return new AcmeProblem({ type: 'rateLimited', detail, status: 429 }, retryAfterMs);
}

/** What the CA answers to one order after another; then as it would. */
function answering(
  answers: readonly ('lost' | AcmeProblem)[],
  times: number[],
): (at: Scene) => Acme {
  const left = [...answers];
  return ({ acme, clock }) => ({
    ...acme,
    async createOrder(...given) {
      times.push(clock.nowMs());
      const answer = left.shift();
      if (answer === 'lost') throw new Error('connection reset');
      if (answer !== undefined) throw answer;
      return await acme.createOrder(...given);
    },
  });
}

test('an order whose answer was lost, and is refused then, is not placed before Retry-After', async () => {
  const times: number[] = [];
  const answers = ['lost', limited(SET, 10 * MINUTE_MS)] as const;
  const at = await acmeScene({ acmeOf: answering(answers, times) });
  await order(at, { ms: 9 * MINUTE_MS });
  expect(times).toHaveLength(2);
  expect(issuanceOf(at)).toMatchObject({ failures: 1, failure: { reason: 'rateLimited' } });
  await finish(at, 2 * MINUTE_MS);
  expect(times).toHaveLength(3);
  expect((times[2] ?? 0) - (times[1] ?? 0)).toBeGreaterThanOrEqual(10 * MINUTE_MS);
  expect(materialOf(at)).toBeDefined();
  await at.end();
});

test.each([{ step: 'createOrder' }, { step: 'finalize' }] as const)(
  'Retry-After counts from when the CA has said it, however long $step took',
  async ({ step }) => {
    const [saidMs, nextMs]: [number[], number[]] = [[], []];
    const acmeOf = ({ acme, clock }: Scene): Acme => {
      const slowly = async <T>(ask: () => Promise<T>): Promise<T> => {
        if (saidMs.length > 0) {
          nextMs.push(clock.nowMs());
          return await ask();
        }
        await clock.sleep(20_000, new AbortController().signal);
        saidMs.push(clock.nowMs());
        throw limited(SET, 10 * MINUTE_MS);
      };
      return {
        ...acme,
        createOrder: (...given) =>
          step === 'createOrder'
            ? slowly(() => acme.createOrder(...given))
            : acme.createOrder(...given),
        finalize: (...given) =>
          step === 'finalize' ? slowly(() => acme.finalize(...given)) : acme.finalize(...given),
      };
    };
    const at = await acmeScene({ acmeOf });
    await order(at, { ms: 12 * MINUTE_MS });
    expect(saidMs).toHaveLength(1);
    expect((nextMs[0] ?? 0) - (saidMs[0] ?? 0)).toBeGreaterThanOrEqual(10 * MINUTE_MS);
    await at.end();
  },
);

test('what the CA refused it is not asked again for another Certificate of the same names', async () => {
  const times: number[] = [];
  const at = await acmeScene({ acmeOf: answering([limited(SET, 10 * MINUTE_MS)], times) });
  await order(at);
  await order(at, { name: 'twin', ms: 8 * MINUTE_MS });
  expect(times).toHaveLength(1);
  expect(issuanceOf(at, 'twin')?.failure).toMatchObject({ reason: 'rateLimited' });
  await finish(at, 3 * MINUTE_MS);
  expect(materialOf(at, 'twin')).toBeDefined();
  await at.end();
});

test('nor when it is deleted and declared again', async () => {
  const times: number[] = [];
  const at = await acmeScene({ acmeOf: answering([limited(SET, 10 * MINUTE_MS)], times) });
  await order(at);
  await at.remove('Certificate', 'blog');
  await finish(at);
  await order(at, { ms: 7 * MINUTE_MS });
  expect(times).toHaveLength(1);
  await finish(at, 3 * MINUTE_MS);
  expect(materialOf(at)).toBeDefined();
  await at.end();
});

test('a name that the CA has paused delays no other of the account (INV-5)', async () => {
  const detail =
    'Your account is temporarily prevented from requesting certificates for blog.example.com and possibly others. Please visit: https://x';
  const at = await acmeScene({ acmeOf: answering([limited(detail)], []) });
  await order(at, { ms: 1_000 });
  await order(at, { name: 'shop', names: ['shop.example.com'], ms: 5_000 });
  expect(materialOf(at, 'shop')).toBeDefined();
  expect(issuanceOf(at)?.failure?.message).toContain('Please visit');
  await at.end();
});

test('failures before a certificate is asked for count for none of its set', async () => {
  const acmeLimits = { [DIRECTORY]: { ...LETS_ENCRYPT_LIMITS, failedValidations: ENOUGH } };
  const at = await acmeScene({ acmeLimits });
  at.looks(async () => 'nothing there');
  await order(at);
  for (let number = 1; number < 7; number += 1) {
    await annotate(at, 'Certificate', 'blog', { [RENEW_REQUESTED]: `${number}` });
    await finish(at);
  }
  expect(counts(at).length).toBeGreaterThan(5);
  expect(counts(at).every(({ certificate }) => certificate === 'none')).toBe(true);
  at.looks(async () => undefined);
  await annotate(at, 'Certificate', 'blog', { [RENEW_REQUESTED]: 'mended' });
  await finish(at);
  expect(materialOf(at)).toBeDefined();
  await at.end();
});

const ENOUGH = { capacity: 100, refillMs: 1 };

test('an order counts for nothing only if it says what it replaces (RFC 9773 §5)', async () => {
  const at = await acmeScene();
  await order(at);
  const [first] = at.ca.certificates;
  const nowMs = at.clock.nowMs();
  at.ca.suggestRenewal(first?.serialNumber ?? '', { startMs: nowMs, endMs: nowMs + 1 });
  // With other names it replaces nothing, whatever the CA wants of the one in use.
  const { spec } = certificateOf(at);
  await at.configure('Certificate', 'blog', { ...spec, names: ['shop.example.com'] });
  await finish(at, 7 * 60 * MINUTE_MS);
  expect(counts(at).map(({ kind }) => kind)).toEqual(['first', 'first']);
  await at.end();
});

test('an Issuer that is changed is not asked before the Retry-After of its account', async () => {
  const times: number[] = [];
  const refused = limited('too many new orders (300) from this account', 10 * MINUTE_MS);
  const at = await acmeScene({ acmeOf: answering([refused], times) });
  await order(at);
  const { acme } = at.world.get('Issuer', { name: 'letsencrypt' })?.spec ?? {};
  await at.configure('Issuer', 'letsencrypt', { acme: { ...acme, contact: ['a@example.com'] } });
  await finish(at, 8 * MINUTE_MS);
  expect(times).toHaveLength(1);
  await finish(at, 3 * MINUTE_MS);
  expect(materialOf(at)).toBeDefined();
  await at.end();
});

test('a CA that is busy is asked about a renewal no sooner than it says', async () => {
  const times: number[] = [];
  const at = await acmeScene({
    acmeOf: ({ acme, clock }) => ({
      ...acme,
      renewalInfo() {
        times.push(clock.nowMs());
        return Promise.reject(limited('busy', 20 * 60 * MINUTE_MS));
      },
    }),
  });
  await order(at, { ms: 19 * 60 * MINUTE_MS });
  expect(times).toHaveLength(1);
  await at.end();
});

test('a limit that is met while an order is finished holds that order, and no other (RFC 8555 §6.6)', async () => {
  let refused = 0;
  const at = await acmeScene({
    acmeOf: ({ acme }) => ({
      ...acme,
      async finalize(account, request, signal) {
        refused += request.names.includes('blog.example.com') ? 1 : 0;
        if (refused === 1 && request.names.includes('blog.example.com'))
          throw limited('too many certificates for blog.example.com', 20 * MINUTE_MS);
        return await acme.finalize(account, request, signal);
      },
    }),
  });
  await order(at);
  await order(at, { name: 'shop', names: ['shop.example.com'], ms: 10 * MINUTE_MS });
  expect(materialOf(at, 'shop')).toBeDefined();
  expect(refused).toBe(1);
  const [found] = at.world.records('acmeOrder');
  expect(found?.[1].value).toMatchObject({
    phase: 'finalizing',
    trouble: { reason: 'rateLimited' },
  });
  await finish(at, 11 * MINUTE_MS);
  expect(materialOf(at)).toBeDefined();
  expect(at.ca.orders).toHaveLength(2);
  expect(at.world.records('acmeOrder')).toEqual([]);
  await at.end();
});

test.each(['Service busy; retry later', 'too many requests from this account'])(
  'but "%s" holds all of the account',
  async (detail) => {
    let asked = 0;
    const at = await acmeScene({
      acmeOf: ({ acme }) => ({
        ...acme,
        async finalize(account, request, signal) {
          asked += 1;
          if (asked === 1) throw limited(detail, 20 * MINUTE_MS);
          return await acme.finalize(account, request, signal);
        },
      }),
    });
    await order(at);
    await order(at, { name: 'shop', names: ['shop.example.com'], ms: 10 * MINUTE_MS });
    expect(materialOf(at, 'shop')).toBeUndefined();
    await finish(at, 15 * MINUTE_MS);
    for (const name of ['blog', 'shop']) expect(materialOf(at, name)).toBeDefined();
    await at.end();
  },
);

test.each([{ how: 'refused' }, { how: 'lost' }])(
  'what the CA says holds also where the write that says so is $how',
  async ({ how }) => {
    const at = await acmeScene({ controllers: 'none' });
    const times: number[] = [];
    let stores = true;
    const writer: AcmePorts['writer'] = {
      async commit(...given) {
        if (stores) return await at.writer.commit(...given);
        if (how === 'lost') throw new Error('the store cannot be reached');
        return { outcome: 'conflict' };
      },
    };
    const acme: Acme = {
      ...at.acme,
      async readAuthorization() {
        stores = false;
        times.push(at.clock.nowMs());
        throw limited('Service busy; retry later', 10 * MINUTE_MS);
      },
    };
    at.start(acmeController({ ...at, acme, writer }));
    const spec = { directory: DIRECTORY, termsOfServiceAgreed: true };
    await at.create('Issuer', 'letsencrypt', { acme: spec });
    await order(at, { ms: 9 * MINUTE_MS });
    expect(times).toHaveLength(1);
    await finish(at, 2 * MINUTE_MS);
    expect(times).toHaveLength(2);
    await at.end();
  },
);

test('orders that begin at the same moment know of each other: none is one too many', async () => {
  const times: number[] = [];
  const roomy = { capacity: 100, refillMs: MINUTE_MS };
  const limits = {
    ...LETS_ENCRYPT_LIMITS,
    ...{ certificatesPerDomain: roomy, certificatesPerSet: roomy, failedValidations: roomy },
    orders: { capacity: 2, refillMs: 60 * MINUTE_MS },
  };
  const acmeLimits = { [DIRECTORY]: limits };
  const at = await acmeScene({ acmeOf: answering([], times), acmeLimits });
  const names = ['a', 'b', 'c', 'd', 'e'];
  await at.commit(
    ...names.map((name) => {
      const spec = { names: [`${name}.example.com`], issuer: 'letsencrypt' };
      const metadata = { namespace: 'default', name };
      return { kind: 'create', object: { kind: 'Certificate', metadata, spec } } as const;
    }),
  );
  await finish(at, MINUTE_MS);
  expect(times).toHaveLength(2);
  expect(counts(at)).toHaveLength(2);
  await at.end();
});

test.each([
  { when: 'the CA cannot be reached right after', second: new Error('connection reset') },
  { when: 'is told to come back sooner right after', second: limited('busy', 1_000) },
])('who is told to wait before the CA looks does so, also where $when', async ({ second }) => {
  const times: number[] = [];
  let left = 1;
  const acmeOf = ({ acme, clock }: Scene): Acme => ({
    ...acme,
    async answerChallenge(...given) {
      times.push(clock.nowMs());
      if (times.length === 1) throw limited('busy', 10 * MINUTE_MS);
      return await acme.answerChallenge(...given);
    },
    async readAuthorization(...given) {
      if (times.length === 1 && left > 0) {
        left -= 1;
        throw second;
      }
      return await acme.readAuthorization(...given);
    },
  });
  const at = await acmeScene({ acmeOf });
  await order(at, { ms: 11 * MINUTE_MS });
  expect(times).toHaveLength(2);
  expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(10 * MINUTE_MS);
  expect(materialOf(at)).toBeDefined();
  await at.end();
});

test('what a CA refuses is stored also where something else is noted at the same moment', async () => {
  const times: number[] = [];
  const at = await acmeScene({
    acmeOf: (scene) => {
      const acme = answering([limited(SET, 10 * MINUTE_MS)], times)(scene);
      return {
        ...acme,
        async createOrder(...given) {
          const { uid: id } = certificateOf(scene).metadata;
          const known = scene.world.record('issuance', id);
          const value = { generation: 1, failures: 0, tries: [], ...known?.value };
          const modRevision = known?.modRevision ?? 0n;
          if (times.length === 0)
            await scene.commit({ kind: 'record', record: 'issuance', id, value, modRevision });
          return await acme.createOrder(...given);
        },
      };
    },
  });
  await order(at, { ms: MINUTE_MS });
  expect(issuanceOf(at)).toMatchObject({ failures: 1, failure: { reason: 'rateLimited' } });
  expect(times).toHaveLength(1);
  await at.end();
});
