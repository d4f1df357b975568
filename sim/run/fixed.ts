import { AIMS } from '../aims/all.ts';
import type { CrashPoint } from '../faults/crash-point.ts';
import { aimedSetting, drawSetting, type Profile, type Setting } from './setting.ts';

/** A seed that has found a bug; `docs/simulation-findings.md` tells what it was and how it was mended. */
export interface Found {
  readonly profile: Profile;
  readonly seed: number;
}

/** Each stays for good. A seed means another world once worlds are drawn in another way. */
export const FOUND: readonly Found[] = [
  34, 39, 41, 49, 57, 64, 68, 71, 123, 136, 173, 236, 325, 403, 667, 731, 736, 893, 1359, 1473,
  1503, 1529, 1631, 1634, 1651, 1704, 1705, 1718, 1745, 1984, 2003, 2050, 2051, 2127, 2132, 2223,
  2383, 2590, 2797, 2885, 2920, 3076, 3129, 3271, 3323, 3402, 3463, 3487, 3746, 3816, 3939, 4271,
  4368, 4474, 4556, 5160, 5332, 5357, 5745, 5761, 5851, 6116, 6160, 6268, 6277, 6480, 6841, 7066,
  7440, 7520, 7565, 7768, 8500, 8824, 9046, 9325, 9462, 9779, 10126, 10179, 20076, 30007, 34238,
  50265,
].map((seed) => ({
  profile: 'short',
  seed,
}));

/** A crash in the midst of a story that has found a bug: stays as well. */
const FOUND_AT: readonly (Pick<Found, 'seed'> & {
  readonly aim: string;
  readonly crash: CrashPoint;
})[] = [
  { seed: 1, aim: 'emptied', crash: { effect: 104, lagMs: 8_000 } },
  { seed: 2, aim: 'emptied', crash: { effect: 45, lagMs: 0 } },
];

/** Seeds that reach rare paths which the others do not (`sim/check/sometimes.ts`). */
const RARE: readonly Found[] = [54, 62, 111, 141, 217, 243].map((seed) => ({
  profile: 'short',
  seed,
}));

/** How many seeds of each profile are run besides, from 1 on. */
const COUNTS: Readonly<Record<Profile, number>> = { short: 10, full: 5, long: 1 };

/** What every change of the code must hold in: as much as fits into three minutes of two cores. */
export function fixedSettings(): readonly Setting[] {
  const counted = Object.entries(COUNTS).flatMap(([profile, count]) =>
    Array.from({ length: count }, (_, index) => ({ profile: profile as Profile, seed: index + 1 })),
  );
  const known = new Set(counted.map(nameOf));
  const found = [...FOUND, ...RARE].filter((each) => !known.has(nameOf(each)));
  return [
    ...Object.keys(AIMS).map((aim) => aimedSetting(1, aim)),
    ...FOUND_AT.map(({ seed, aim, crash }) => ({ ...aimedSetting(seed, aim), crash })),
    ...[...counted, ...found].map(({ profile, seed }) => drawSetting(seed, profile)),
  ];
}

/** `short:39`, `behind:1`, `emptied:1@75` */
export function nameOf({
  profile,
  seed,
  aim,
  crash,
}: Found & Pick<Setting, 'aim' | 'crash'>): string {
  const at = crash === undefined ? '' : `@${crash.effect}`;
  return `${aim ?? profile}:${seed}${at}`;
}
