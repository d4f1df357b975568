import { expect, test } from 'vitest';
import { FOUND } from '../run/fixed.ts';
import { changeSetting, drawSetting } from '../run/setting.ts';

const SEEDS = Array.from({ length: 400 }, (_, index) => index + 1);

test('some worlds have a CA, and seeds that found something have none', () => {
  const having = SEEDS.filter((seed) => drawSetting(seed, 'short').ca !== undefined);
  expect(having.length).toBeGreaterThan(SEEDS.length / 20);
  expect(having.length).toBeLessThan(SEEDS.length / 5);
  // What is drawn of them must stay as it was.
  const found = FOUND.filter(({ seed, profile }) => drawSetting(seed, profile).ca !== undefined);
  expect(found).toEqual([]);
});

test('versions that know no ACME run without', () => {
  const seed = SEEDS.find((each) => drawSetting(each, 'short').ca !== undefined) ?? 0;
  const setting = drawSetting(seed, 'short');
  expect(changeSetting(setting, { older: '/tmp/older' }).ca).toBeUndefined();
  expect(changeSetting(setting, {}).ca).toEqual(setting.ca);
});
