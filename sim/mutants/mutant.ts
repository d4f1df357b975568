/** A small deliberate bug in production code, which the simulation must notice. */
export interface Mutant {
  /** Lower-case words joined by dashes, unique. */
  readonly name: string;
  /** From the root of the repository. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
  /** What goes wrong, as whoever has to mend it would tell it. */
  readonly story: string;
  /** Numbers of the invariants that it breaks; which of them is noticed first, the seed decides. */
  readonly expects: readonly number[];
}

/** The source with the bug in it. Throws a RangeError where the bug has no place any more. */
export function mutate(source: string, { name, file, find, replace }: Mutant): string {
  const places = source.split(find).length - 1;
  if (places === 1) return source.replace(find, () => replace);
  throw new RangeError(`mutant ${name}: its text stands in ${file} ${places} times, not once`);
}
