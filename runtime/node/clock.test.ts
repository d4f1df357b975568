import { expect, test } from 'vitest';
import { systemClock } from './clock.ts';

test('sleep resolves no earlier than asked', async () => {
  const clock = systemClock();
  const startMs = clock.monotonicMs();
  await clock.sleep(20);
  expect(clock.monotonicMs() - startMs).toBeGreaterThanOrEqual(20);
});

test('sleep rejects with the reason of the signal, before and while it sleeps', async () => {
  const clock = systemClock();
  const reason = new Error('enough');
  await expect(clock.sleep(1, AbortSignal.abort(reason))).rejects.toBe(reason);
  const stop = new AbortController();
  const sleeping = clock.sleep(Number.POSITIVE_INFINITY, stop.signal);
  stop.abort(reason);
  await expect(sleeping).rejects.toBe(reason);
});
