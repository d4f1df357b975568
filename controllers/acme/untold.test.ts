import { expect, test } from 'vitest';
import type { Outcome } from '../../runtime/control/controller.ts';
import { untoldWaits } from './untold.ts';

const clock = { nowMs: 0, monotonicMs: () => clock.nowMs };

/** Told by a CA to wait, and then unable to store it. */
const refused = async (told: (waitMs: number) => void): Promise<Outcome> => {
  told(10_000);
  throw new Error('no longer leading');
};
const works = async (): Promise<Outcome> => 'settled';

test('what could not be stored holds for whoever is given it next, and only for that name', async () => {
  const untold = untoldWaits(clock);
  await expect(untold.kept('account:public', refused)).rejects.toThrow('no longer leading');
  clock.nowMs = 4_000;
  expect(await untold.kept('account:public', works)).toEqual({ recheckInMs: 6_000 });
  expect(await untold.kept('account:other', works)).toBe('settled');
  clock.nowMs = 10_000;
  expect(await untold.kept('account:public', works)).toBe('settled');
});

test('what was stored is for the store to say', async () => {
  const untold = untoldWaits(clock);
  const stored = async (told: (waitMs: number) => void): Promise<Outcome> => {
    told(10_000);
    return { recheckInMs: 10_000 };
  };
  expect(await untold.kept('order:default/blog', stored)).toEqual({ recheckInMs: 10_000 });
  expect(await untold.kept('order:default/blog', works)).toBe('settled');
});
