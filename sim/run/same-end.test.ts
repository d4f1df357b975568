import { expect, test } from 'vitest';
import { guarded } from '../engine/guard.ts';
import { geo } from './geo.fixture.ts';
import { runToSameEnd } from './same-end.ts';
import { drawSetting, settingArgs } from './setting.ts';

const SEEDS = Array.from({ length: 24 }, (_, index) => index + 1);

test.each(SEEDS)('seed %i ends as if nothing had ever happened (INV-3)', async (seed) => {
  const setting = drawSetting(seed, 'short');
  const replay = `make sim ${settingArgs(setting)}`;
  const { eventful, calm } = await guarded(() => runToSameEnd(setting, { geo, replay }));
  expect(eventful, `INV-3: seed ${seed}`).toEqual(calm);
});
