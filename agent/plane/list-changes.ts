/** How a list differs from the one before; small where few of many items changed. */
export interface ListChanges<T> {
  /** So many at the beginning, and so many at the end, are as before. */
  readonly kept: { readonly first: number; readonly last: number };
  /** Items that the list before did not have. */
  readonly added: readonly T[];
  /** For each place in between: where it was in the list before, or for the n-th added one -1 - n. */
  readonly places: Int32Array;
}

/** Items are told apart by identity: who makes lists keeps the objects of what did not change. */
export function listChanges<T>(before: readonly T[], after: readonly T[]): ListChanges<T> {
  const kept = keptEnds(before, after);
  const added: T[] = [];
  const middle = after.slice(kept.first, after.length - kept.last);
  const places = new Int32Array(middle.length);
  const placesBefore = new Map<T, number>();
  for (let place = kept.first; place < before.length - kept.last; place += 1) {
    placesBefore.set(before[place] as T, place);
  }
  for (const [index, item] of middle.entries()) {
    places[index] = placesBefore.get(item) ?? -added.push(item);
  }
  return { kept, added, places };
}

/** The list that the changes lead to. Throws a RangeError when they are not of this list. */
export function changedList<T>(before: readonly T[], changes: ListChanges<T>): readonly T[] {
  const { kept, added, places } = changes;
  if (kept.first + kept.last > before.length) throw new RangeError(FOREIGN);
  const middle = Array.from(places, (place) => {
    const [list, index] = place < 0 ? [added, -1 - place] : [before, place];
    if (index >= list.length) throw new RangeError(FOREIGN);
    return list[index] as T;
  });
  const last = before.slice(before.length - kept.last);
  return [...before.slice(0, kept.first), ...middle, ...last];
}

const FOREIGN = 'changes of a list that was never sent';

function keptEnds<T>(before: readonly T[], after: readonly T[]): ListChanges<T>['kept'] {
  const most = Math.min(before.length, after.length);
  let first = 0;
  while (first < most && before[first] === after[first]) first += 1;
  let last = 0;
  while (last < most - first && before.at(-1 - last) === after.at(-1 - last)) last += 1;
  return { first, last };
}
