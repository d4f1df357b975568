import { describe, expect, test } from 'vitest';
import { changesOf } from './args.fixture.ts';
import type { Outcome } from './outcome.ts';
import { aimedSetting, changeSetting, drawSetting, type Setting, settingArgs } from './setting.ts';
import { shrink } from './shrink.ts';
import { weatherKinds } from './weather.ts';

const SEEDS = Array.from({ length: 2_000 }, (_, index) => index + 1);
const DRAWN = SEEDS.map((seed) => drawSetting(seed, 'short')).filter(({ subs }) => subs >= 3);
const WITH_CA = DRAWN.find(({ ca, sites }) => ca !== undefined && sites === 'elaborate');
const WITH_GIT = DRAWN.find(({ git }) => (git?.operations ?? 0) > 4);

describe('a failing run gets smaller for as long as it fails in the same way', () => {
  test('without a CA, elaborate Sites, machines, changes and faults, where none of it matters', async () => {
    const small = await smallest(WITH_CA, () => true);
    expect(small).toMatchObject({ ca: undefined, sites: 'plain', subs: 1, operations: 0 });
    expect(weatherKinds(small)).toEqual([]);
  });

  test('to one change of the CA’s, and its weather, where these matter', async () => {
    const small = await smallest(
      WITH_CA,
      ({ ca, leftOut, ...rest }) =>
        ca !== undefined &&
        !leftOut.includes('ca.1') &&
        weatherKinds({ ca, ...rest }).includes('ca'),
    );
    expect(weatherKinds(small)).toEqual(['ca']);
    const { operations = 0 } = small.ca ?? {};
    const others = Array.from({ length: operations - 1 }, (_, index) => `ca.${index + 2}`);
    expect(small.leftOut.toSorted()).toEqual(others);
  });

  test('to one push', async () => {
    const small = await smallest(
      WITH_GIT,
      ({ git, leftOut }) => git !== undefined && !leftOut.includes('git.3'),
    );
    expect(small.leftOut).toHaveLength((small.git?.operations ?? 0) - 1);
  });

  test('to two machines that are not the first ones', async () => {
    const small = await smallest(
      WITH_GIT,
      ({ subs, leftOut }) => subs >= 3 && !leftOut.includes('sydney'),
    );
    expect(small).toMatchObject({ subs: 3, git: undefined });
    expect(small.leftOut.toSorted()).toEqual(['london', 'newyork']);
  });

  test('a story keeps what it has asked for', async () => {
    const story = aimedSetting(1, 'issued');
    const { subs, ca } = await smallest(story, () => true);
    expect({ subs, ca }).toEqual({ subs: story.subs, ca: story.ca });
  });

  test('another failure is not the same', async () => {
    const setting = given(WITH_CA);
    const failure = failed('Error: no such thing as 7');
    const run = async ({ ca, operations }: Setting): Promise<Outcome> =>
      failed(ca === undefined ? 'Error: another' : `Error: no such thing as ${operations}`);
    const options = { runner: { run }, onSmaller: () => undefined, goesOn: () => true };
    const small = await shrink(setting, failure, options);
    expect(small.ca).toBeDefined();
    expect(small.operations).toBe(0);
  });
});

/** What is left while `fails` says so; each step can be replayed by what is printed. */
async function smallest(
  setting: Setting | undefined,
  fails: (setting: Setting) => boolean,
): Promise<Setting> {
  const drawn = given(setting);
  return shrink(drawn, failed('INV-1: waits'), {
    runner: {
      run: async (each) => (fails(each) ? failed('INV-1: waits') : failed('INV-2: restless')),
    },
    onSmaller: (each) => {
      const again = changeSetting(drawn, changesOf(settingArgs(each)));
      expect(JSON.stringify(again)).toBe(JSON.stringify(each));
    },
    goesOn: () => true,
  });
}

function failed(what: string): Outcome {
  return { kind: 'failed', message: `${what}; replay: make sim SEED=1`, virtualMs: 0 };
}

function given<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('no seed draws such a world');
  return value;
}
