import { expect, test } from 'vitest';
import type { Acme } from '../../runtime/acme/acme.ts';
import type { FakeAcmeSettings } from '../../runtime/acme/fake/state.ts';
import { runController } from '../../runtime/control/control-loop.ts';
import { silentLog } from '../../runtime/log.ts';
import { noMetrics } from '../../runtime/metrics.ts';
import type { Scene } from '../test-scene.ts';
import { acmeController } from './controller.ts';
import { acmeScene, certificateOf, DIRECTORY, finish, materialOf } from './test-acme.ts';

/** Effects of one order with its account; more than there are. */
const EFFECTS_MAX = 40;

/** Runs the controller until it has had so many effects, on the store or on the CA; then it is gone. */
async function crashAfter(at: Scene, effects: number): Promise<'crashed' | 'done'> {
  const stop = new AbortController();
  let had = 0;
  const effect = async <Result>(act: () => Promise<Result>): Promise<Result> => {
    if (stop.signal.aborted) return await new Promise<never>(() => undefined);
    const result = await act();
    had += 1;
    if (had < effects) return result;
    stop.abort();
    return await new Promise<never>(() => undefined);
  };
  const acme = new Proxy(at.acme, {
    get(target, step: keyof Acme) {
      if (step === 'makeKey' || step === 'keyAuthorization') return target[step];
      return (...given: never[]) =>
        effect(() => (target[step] as (...all: never[]) => Promise<unknown>)(...given));
    },
  });
  const { commit } = at.writer;
  const writer = Object.assign(Object.create(at.writer) as typeof at.writer, {
    commit: (...given: Parameters<typeof commit>) => effect(() => at.writer.commit(...given)),
  });
  const ports = { mirror: at.world, clock: at.clock, random: at.random };
  void runController(
    acmeController({ ...at, acme, writer }),
    { ...ports, log: silentLog, metrics: noMetrics },
    stop.signal,
  );
  await at.clock.advance(15_000);
  const outcome = stop.signal.aborted ? 'crashed' : 'done';
  stop.abort();
  await at.settle();
  return outcome;
}

async function orderThroughCrash(
  settings: Partial<FakeAcmeSettings>,
  effects: number,
): Promise<{ readonly at: Scene; readonly outcome: 'crashed' | 'done' }> {
  const at = await acmeScene({ controllers: 'none', nodes: ['a'] });
  at.ca.set(settings);
  const acme = { directory: DIRECTORY, termsOfServiceAgreed: true };
  await at.create('Issuer', 'letsencrypt', { acme });
  await at.create('Certificate', 'blog', { names: ['blog.example.com'], issuer: 'letsencrypt' });
  const outcome = await crashAfter(at, effects);
  at.start(acmeController(at));
  await finish(at, 120_000);
  return { at, outcome };
}

test.each([
  { when: 'the CA keeps a list of orders', settings: { keepsOrderList: true } },
  {
    when: 'the CA hands an open order out again',
    settings: { keepsOrderList: false, reusesOrders: true },
  },
])(
  'whatever it crashes after there is one order, one certificate, and no proof left, when $when',
  { timeout: 120_000 },
  async ({ settings }) => {
    const reached: number[] = [];
    for (let effects = 1; effects < EFFECTS_MAX; effects += 1) {
      const { at, outcome } = await orderThroughCrash(settings, effects);
      const where = `after effect ${effects}`;
      expect(materialOf(at)?.names, where).toEqual(['blog.example.com']);
      expect(at.ca.accounts, where).toHaveLength(1);
      expect(at.ca.orders, where).toHaveLength(1);
      expect(at.ca.certificates, where).toHaveLength(1);
      expect(at.world.records('acmeOrder'), where).toEqual([]);
      const texts = at.world.records('zone').flatMap(([, { value }]) => value.records);
      expect(
        texts.filter(({ type }) => type === 'TXT'),
        where,
      ).toEqual([]);
      await at.end();
      if (outcome === 'done') break;
      reached.push(effects);
    }
    expect(reached.length).toBeGreaterThan(15);
    expect(reached.length).toBeLessThan(EFFECTS_MAX - 1);
  },
);

test('a CA that keeps no list and knows no order again: each that it may have is counted', async () => {
  for (const effects of [5, 6, 7, 8]) {
    const settings = { keepsOrderList: false, reusesOrders: false };
    const { at } = await orderThroughCrash(settings, effects);
    expect(materialOf(at)).toBeDefined();
    expect(at.ca.certificates).toHaveLength(1);
    expect(at.ca.orders.length).toBeLessThanOrEqual(at.world.records('acmeCount').length);
    await at.end();
  }
});

const STEPS = [
  ...(['directory', 'register', 'createOrder', 'readAuthorization', 'answerChallenge'] as const),
  ...(['readOrder', 'finalize', 'download', 'renewalInfo'] as const),
];

test.each(
  STEPS.flatMap((step) =>
    (
      [
        'lost',
        'unreachable',
        'serverError',
        'nonsense',
        'hangs',
        'badNonce',
        'rateLimited',
      ] as const
    ).map((fault) => ({ step, fault })),
  ),
)('$fault: the answer to $step does no harm', { timeout: 20_000 }, async ({ step, fault }) => {
  const at = await acmeScene({ nodes: ['a'] });
  at.ca.failNext(step, fault);
  await at.create('Certificate', 'blog', { names: ['blog.example.com'], issuer: 'letsencrypt' });
  await finish(at, 1_500_000);
  expect(materialOf(at)).toBeDefined();
  expect(at.ca.orders).toHaveLength(1);
  expect(at.ca.certificates).toHaveLength(1);
  const { uid } = certificateOf(at).metadata;
  const tries = at.world.record('issuance', uid)?.value.tries;
  expect(tries?.map(({ outcome }) => outcome)).toEqual(['issued']);
  expect(at.world.records('acmeAccount')[0]?.[1].value.failure).toBeUndefined();
  await at.end();
});
