/**
 * What `-v` asks for: 0 results, 1 causes of errors, 6 every request with its time, 8 also what was
 * sent and came back, 9 all of that.
 */
export const VERBOSITY = { causes: 1, requests: 6, bodies: 8, whole: 9 } as const;

/**
 * Takes `-v`, `-v=6`, `-v6`, `-v 6`, `--v=6` and `--verbose` out of a command line, wherever they
 * stand before a `--`: as kubectl has them, which no parser of options reads. The last one counts.
 */
export function takeVerbosity(given: readonly string[]): {
  readonly words: readonly string[];
  readonly verbosity: number;
} {
  const words: string[] = [];
  let verbosity = 0;
  for (let index = 0; index < given.length; index += 1) {
    const word = given[index] ?? '';
    if (word === '--') return { words: [...words, ...given.slice(index)], verbosity };
    const [whole, level] = /^(?:-v|--v|--verbose)(?:=?([0-9]))?$/.exec(word) ?? [];
    if (whole === undefined) {
      words.push(word);
      continue;
    }
    const next = given[index + 1] ?? '';
    const isNext = level === undefined && /^[0-9]$/.test(next);
    if (isNext) index += 1;
    verbosity = Number(level ?? (isNext ? next : VERBOSITY.causes));
  }
  return { words, verbosity };
}
