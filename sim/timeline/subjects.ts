import type { TraceLine } from '../engine/trace.ts';

/** A word that so many lines have tells nothing. */
const COMMON_SHARE = 0.2;
const WORD_LENGTH_MIN = 3;

/**
 * Whether a line, by its number, speaks of what this one speaks of: names of sites, nodes and
 * releases, addresses, revisions.
 */
export function relatedTo(
  lines: readonly TraceLine[],
  number: number,
): (number: number) => boolean {
  const words = wordsIn(lines[number]).filter(({ length }) => length >= WORD_LENGTH_MIN);
  const has = lines.map((line) => {
    const set = new Set(wordsIn(line));
    return words.filter((word) => set.has(word));
  });
  const counts = new Map<string, number>();
  for (const word of has.flat()) counts.set(word, (counts.get(word) ?? 0) + 1);
  const max = lines.length * COMMON_SHARE;
  const isTelling = (word: string): boolean => (counts.get(word) ?? 0) <= max;
  return (each) => has[each]?.some(isTelling) === true;
}

/** Each once. The host is none: all that a host did would be related to it. */
function wordsIn(line: TraceLine | undefined): readonly string[] {
  if (line === undefined) return [];
  const fields = line.fields === undefined ? '' : JSON.stringify(line.fields);
  return [...new Set(`${line.what} ${fields}`.match(/[\w.]+/g))];
}
