import { expect, test } from 'vitest';
import { changeSetting, drawSetting } from '../run/setting.ts';

const SEEDS = Array.from({ length: 400 }, (_, index) => index + 1);

test('some worlds have a Git remote, most have none, and none has a CA besides', () => {
  const settings = SEEDS.map((seed) => drawSetting(seed, 'short'));
  const having = settings.filter(({ git }) => git !== undefined);
  expect(having.length).toBeGreaterThan(SEEDS.length / 12);
  expect(having.length).toBeLessThan(SEEDS.length / 5);
  expect(having.filter(({ ca }) => ca !== undefined)).toEqual([]);
});

test('versions that follow no Git run without', () => {
  const seed = SEEDS.find((each) => drawSetting(each, 'short').git !== undefined) ?? 0;
  const setting = drawSetting(seed, 'short');
  expect(changeSetting(setting, { older: '/tmp/older' }).git).toBeUndefined();
  expect(changeSetting(setting, {}).git).toEqual(setting.git);
});
