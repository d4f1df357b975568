import { describe, expect, test } from 'vitest';
import { changesOf } from './args.fixture.ts';
import {
  aimedSetting,
  type Changes,
  changeSetting,
  drawSetting,
  type Setting,
  settingArgs,
} from './setting.ts';
import { weatherKinds } from './weather.ts';

const SEEDS = Array.from({ length: 400 }, (_, index) => index + 1);
const DRAWN = SEEDS.map((seed) => drawSetting(seed, 'short'));
const WITH_CA = found(({ ca }) => ca !== undefined);
const WITH_GIT = found(({ git }) => git !== undefined);
const ELABORATE = found(({ sites }) => sites === 'elaborate');
/** Nothing is to be seen of a fault that the seed draws so. */
const UNDELAYED = found(({ faults }) => faults.watchHold === 0 && faults.watchHoldMsMax > 0);

describe('what is printed gives the same world again, to the last number', () => {
  test.each<{ when: string; setting: Setting; changes: Changes; args: RegExp }>([
    { when: 'as drawn', setting: WITH_CA, changes: {}, args: /^SEED=\d+ PROFILE=short$/ },
    { when: 'calm', setting: WITH_CA, changes: { faults: [] }, args: /FAULTS=none$/ },
    {
      when: 'none and more',
      setting: WITH_GIT,
      changes: { faults: ['none', 'git'] },
      args: /FAULTS=git/,
    },
    { when: 'a CA alone', setting: WITH_CA, changes: { faults: ['ca'] }, args: /FAULTS=ca$/ },
    { when: 'a group', setting: WITH_CA, changes: { faults: ['net', 'ca'] }, args: /FAULTS=\S*ca/ },
    {
      when: 'all but the CA',
      setting: WITH_CA,
      changes: { faults: weatherKinds(WITH_CA).filter((kind) => kind !== 'ca') },
      args: /FAULTS=/,
    },
    {
      when: 'all that there is',
      setting: WITH_CA,
      changes: { faults: weatherKinds(WITH_CA) },
      args: /short$/,
    },
    {
      when: 'a kind that is off',
      setting: UNDELAYED,
      changes: { faults: ['watch-delay'] },
      args: /FAULTS=none/,
    },
    { when: 'no CA', setting: WITH_CA, changes: { ca: 0 }, args: /short CA=0$/ },
    {
      when: 'no CA in fair weather',
      setting: WITH_CA,
      changes: { ca: 0, faults: [] },
      args: /CA=0 FAULTS=none$/,
    },
    { when: 'no Git', setting: WITH_GIT, changes: { git: 0 }, args: /short GIT=0$/ },
    { when: 'plain Sites', setting: ELABORATE, changes: { sites: 'plain' }, args: /SITES=plain/ },
    {
      when: 'less',
      setting: WITH_GIT,
      changes: { subs: 9, stormMs: 7, leftOut: ['git.1', 'tokyo'] },
      args: /LEFT_OUT=git.1,tokyo/,
    },
    {
      when: 'a crash',
      setting: aimedSetting(2, 'issued'),
      changes: { crash: { effect: 7, lagMs: 8_000 } },
      args: /AIM=issued CRASH_AT=7 LAG_MS=8000/,
    },
  ])('$when', ({ setting, changes, args }) => {
    const changed = changeSetting(setting, changes);
    expect(settingArgs(changed)).toMatch(args);
    const again = changeSetting(setting, changesOf(settingArgs(changed)));
    expect(JSON.stringify(again)).toBe(JSON.stringify(changed));
  });
});

describe('the weather of what is outside', () => {
  test('is calm unless it is named, and the CA and the Git remote stay', () => {
    const calm = changeSetting(WITH_CA, { faults: ['none', 'crash'] });
    expect(calm.ca).toMatchObject({
      ...{ outages: 0, whims: 0, operations: WITH_CA.ca?.operations, lifeMs: WITH_CA.ca?.lifeMs },
      weather: { faults: {}, flaws: {}, slowMsMax: 0 },
    });
    const { git } = changeSetting(WITH_GIT, { faults: [] });
    expect(git).toMatchObject({ outages: 0, operations: WITH_GIT.git?.operations });
    expect(weatherKinds({ ...WITH_GIT, git })).not.toContain('git');
  });

  test('is as drawn where it is named', () => {
    expect(changeSetting(WITH_CA, { faults: ['ca'] }).ca).toEqual(WITH_CA.ca);
    expect(changeSetting(WITH_GIT, { faults: ['git'] }).git).toEqual(WITH_GIT.git);
  });

  test('a word that means nothing is refused', () => {
    expect(() => changeSetting(WITH_CA, { faults: ['cas'] })).toThrow('there is no fault cas');
  });

  test('a story is as calm as it was', () => {
    const story = aimedSetting(1, 'issued');
    expect(JSON.stringify(changeSetting(story, { faults: [] }))).toBe(JSON.stringify(story));
  });
});

function found(isIt: (setting: Setting) => boolean): Setting {
  const setting = DRAWN.find(isIt);
  if (setting === undefined) throw new Error('no seed draws such a world');
  return setting;
}
