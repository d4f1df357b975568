/**
 * Text in which `:name` is to be replaced, cut into pieces: text, and at odd places names; an empty
 * name stands for nothing. Only what is in `names` counts: anything else is mere text.
 */
export function splitPlaceholders(text: string, names: readonly string[]): readonly string[] {
  const pieces: string[] = [];
  let from = 0;
  for (const match of text.matchAll(/:([A-Za-z]\w*)/gu)) {
    // The longest name that fits: ":idx" may be "id" and an x.
    const known = names.filter((each) => match[1]?.startsWith(each) === true);
    const [name] = known.toSorted((one, other) => other.length - one.length);
    if (name === undefined) continue;
    pieces.push(text.slice(from, match.index), name);
    from = match.index + 1 + name.length;
  }
  pieces.push(text.slice(from));
  return pieces;
}

export function fillPlaceholders(
  pieces: readonly string[],
  valueOf: (name: string) => string,
): string {
  const [only = ''] = pieces;
  if (pieces.length === 1) return only;
  return pieces.map((piece, index) => (index % 2 === 0 ? piece : valueOf(piece))).join('');
}
