import { FAULT_KINDS } from './faults.ts';
import { NET_FAULT_KINDS } from './net-faults.ts';
import { STORE_FAULT_KINDS } from './store-faults.ts';

/** The weather of what the Internet of a world has: `sim/ca/ca-setting.ts`, `sim/git/git-setting.ts`. */
const OUTSIDE = ['ca', 'git'] as const;

/** One word for several kinds. */
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  none: [],
  crash: ['sub-crash', 'dom-crash'],
  pause: ['sub-pause', 'dom-pause'],
  clock: ['skew', 'drift', 'clock-jump'],
  disk: ['torn-write', 'full-disk', 'disk-error', 'slow-disk', 'rot'],
  net: Object.keys(NET_FAULT_KINDS),
  store: Object.keys(STORE_FAULT_KINDS),
};

/**
 * The kinds of faults that these words stand for, each a kind or a group of them; `none` adds nothing.
 * Throws a RangeError that lists what there is.
 */
export function kindsNamed(words: readonly string[]): ReadonlySet<string> {
  const kinds = new Set([...Object.keys(FAULT_KINDS), ...OUTSIDE]);
  return new Set(
    words.flatMap((word) => {
      if (kinds.has(word)) return word;
      const group = Object.hasOwn(GROUPS, word) ? GROUPS[word] : undefined;
      if (group !== undefined) return group;
      const known = [...kinds].toSorted().join(', ');
      const groups = Object.keys(GROUPS).join(', ');
      throw new RangeError(`there is no fault ${word}; there are: ${groups}; ${known}`);
    }),
  );
}
