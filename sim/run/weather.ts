import { type CaSetting, calmCa, isStormyCa } from '../ca/ca-setting.ts';
import { kindsNamed } from '../faults/fault-words.ts';
import { type Faults, kindsOf, onlyFaults } from '../faults/faults.ts';
import { calmGit, type GitSetting, isStormyGit } from '../git/git-setting.ts';

/** What of a setting says what goes wrong, and how hard. */
export interface Weather {
  readonly faults: Faults;
  readonly ca?: CaSetting | undefined;
  readonly git?: GitSetting | undefined;
}

/** The kinds that do anything at all in a world, sorted. */
export function weatherKinds({ faults, ca, git }: Weather): readonly string[] {
  return [
    ...kindsOf(faults),
    ...(ca !== undefined && isStormyCa(ca) ? ['ca'] : []),
    ...(git !== undefined && isStormyGit(git) ? ['git'] : []),
  ].toSorted();
}

/**
 * The same with all but these kinds, or groups of them, taken away; the CA and the Git remote stay.
 * Throws a RangeError for words that mean none.
 */
export function onlyWeather({ faults, ca, git }: Weather, words: readonly string[]): Weather {
  const kinds = kindsNamed(words);
  return {
    faults: onlyFaults(faults, kinds),
    ca: ca === undefined || kinds.has('ca') ? ca : calmCa(ca),
    git: git === undefined || kinds.has('git') ? git : calmGit(git),
  };
}

/** Whether it is the same weather, number for number. */
export function isSameWeather(one: Weather, other: Weather): boolean {
  const [first, second] = [one, other].map(({ faults, ca, git }) =>
    JSON.stringify([Object.entries(faults).toSorted(byName), ca ?? null, git ?? null]),
  );
  return first === second;
}

function byName([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number {
  return one < other ? -1 : 1;
}
