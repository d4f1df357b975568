import { expect, test } from 'vitest';
import { changeSetting, drawSetting } from '../run/setting.ts';

const SEEDS = Array.from({ length: 400 }, (_, index) => index + 1);

test('some worlds have a CA, most have none', () => {
  const having = SEEDS.filter((seed) => drawSetting(seed, 'short').ca !== undefined);
  expect(having.length).toBeGreaterThan(SEEDS.length / 20);
  expect(having.length).toBeLessThan(SEEDS.length / 5);
});

test('versions that know no ACME run without', () => {
  const seed = SEEDS.find((each) => drawSetting(each, 'short').ca !== undefined) ?? 0;
  const setting = drawSetting(seed, 'short');
  expect(changeSetting(setting, { older: '/tmp/older' }).ca).toBeUndefined();
  expect(changeSetting(setting, {}).ca).toEqual(setting.ca);
});
