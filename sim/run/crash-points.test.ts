import { afterEach, expect, test, vi } from 'vitest';
import { CrashPoints } from '../faults/crash-point.ts';
import { aimedSetting } from './setting.ts';
import { World } from './world.ts';

afterEach(() => vi.restoreAllMocks());

test('what changes something at a CA is a place to crash at; looking is none', async () => {
  const effect = vi.spyOn(CrashPoints.prototype, 'effect');
  const world = new World(aimedSetting(2, 'leapt'), { keep: 'hash', replay: '' });
  const { effects } = await world.run();
  expect(effects).toBe(effect.mock.calls.length);
  const steps = effect.mock.calls.flatMap(([, what]) => (what.endsWith(' at ca.test') ? what : []));
  expect([...new Set(steps)].toSorted()).toEqual(
    ['answerChallenge', 'createOrder', 'finalize', 'register'].map((step) => `${step} at ca.test`),
  );
});
