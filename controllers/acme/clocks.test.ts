import { expect, test } from 'vitest';
import { runController } from '../../runtime/control/control-loop.ts';
import { silentLog } from '../../runtime/log.ts';
import { noMetrics } from '../../runtime/metrics.ts';
import type { Scene } from '../test-scene.ts';
import { acmeController } from './controller.ts';
import { acmeScene, DIRECTORY, finish, materialOf } from './test-acme.ts';

const MINUTE_MS = 60_000;

/** A dom with a clock of its own leads for a while. */
async function lead(
  at: Scene,
  { aheadMs, forMs }: { readonly aheadMs: number; readonly forMs: number },
): Promise<void> {
  const stop = new AbortController();
  const clock = Object.assign(Object.create(at.clock) as typeof at.clock, {
    nowMs: () => at.clock.nowMs() + aheadMs,
  });
  void runController(
    acmeController({ ...at, clock }),
    { mirror: at.world, clock, random: at.random, log: silentLog, metrics: noMetrics },
    stop.signal,
  );
  await finish(at, forMs);
  stop.abort();
  await at.settle();
}

const weather = (serverError: number) => ({ faults: { serverError }, flaws: {}, slowMsMax: 0 });

test.each([
  { when: 'the CA is at it', serverError: 0 },
  { when: 'the CA is away', serverError: 1 },
])(
  'an order that waits by a clock that is ahead goes on by one that is not, when $when',
  async ({ serverError }) => {
    const at = await acmeScene({ controllers: 'none' });
    const acme = { directory: DIRECTORY, termsOfServiceAgreed: true };
    await at.create('Issuer', 'letsencrypt', { acme });
    await at.create('Certificate', 'blog', { names: ['blog.example.com'], issuer: 'letsencrypt' });
    const { promise: looked, resolve: look } = Promise.withResolvers<undefined>();
    at.looks(() => looked);
    const order = () => at.world.records('acmeOrder')[0]?.[1].value;
    await lead(at, { aheadMs: 0, forMs: MINUTE_MS });
    expect(order()?.authorizations).toMatchObject([{ state: 'asked' }]);
    at.ca.setWeather(weather(serverError));
    await lead(at, { aheadMs: 23 * MINUTE_MS, forMs: MINUTE_MS });
    expect(order()?.notBeforeMs).toBeGreaterThan(at.clock.nowMs() + 20 * MINUTE_MS);
    at.ca.setWeather(weather(0));
    look(undefined);
    await lead(at, { aheadMs: 0, forMs: MINUTE_MS });
    expect(materialOf(at)?.names).toEqual(['blog.example.com']);
    await at.end();
  },
);

test('a certificate that has not begun by the clock of dom is waited for, and not ordered again', async () => {
  const at = await acmeScene({ controllers: 'none' });
  const acme = { directory: DIRECTORY, termsOfServiceAgreed: true };
  await at.create('Issuer', 'letsencrypt', { acme });
  await at.create('Certificate', 'blog', { names: ['blog.example.com'], issuer: 'letsencrypt' });
  // The CA dates an hour back.
  await lead(at, { aheadMs: -90 * MINUTE_MS, forMs: 20 * MINUTE_MS });
  expect(materialOf(at)).toBeUndefined();
  expect(at.world.records('acmeOrder')[0]?.[1].value).toMatchObject({
    phase: 'downloading',
    trouble: { message: expect.stringContaining('by the clock of dom, which may be wrong') },
  });
  expect(at.ca.asked.download).toBeLessThan(15);
  await lead(at, { aheadMs: 0, forMs: 6 * MINUTE_MS });
  expect(materialOf(at)?.names).toEqual(['blog.example.com']);
  expect(at.ca.orders).toHaveLength(1);
  await at.end();
});

test('it is taken once it begins, too, when nobody sets the clock', async () => {
  const at = await acmeScene({ controllers: 'none' });
  const acme = { directory: DIRECTORY, termsOfServiceAgreed: true };
  await at.create('Issuer', 'letsencrypt', { acme });
  await at.create('Certificate', 'blog', { names: ['blog.example.com'], issuer: 'letsencrypt' });
  await lead(at, { aheadMs: -240 * MINUTE_MS, forMs: 190 * MINUTE_MS });
  expect(materialOf(at)?.names).toEqual(['blog.example.com']);
  expect(at.ca.orders).toHaveLength(1);
  await at.end();
});
