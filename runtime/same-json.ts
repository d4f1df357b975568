import { isDeepStrictEqual } from 'node:util';

/**
 * Whether two texts of JSON say the same, in whatever order members stand; undefined is what
 * `JSON.stringify` makes of nothing. Mostly they are the same to the letter, which is cheap to see.
 */
export function sameJson(one: string | undefined, other: string | undefined): boolean {
  if (one === other) return true;
  if (one === undefined || other === undefined) return false;
  return isDeepStrictEqual(JSON.parse(one), JSON.parse(other));
}
