/** Orders keys by their UTF-8 bytes, as SQLite and etcd do; JavaScript's `<` orders UTF-16 units. */
export function compareKeys(left: string, right: string): number {
  const common = Math.min(left.length, right.length);
  for (let index = 0; index < common; index += 1) {
    const difference = utf8Rank(left.charCodeAt(index)) - utf8Rank(right.charCodeAt(index));
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/**
 * The least key that is greater than all keys with this prefix; undefined when there is none, as
 * for the empty prefix.
 */
export function prefixEnd(prefix: string): string | undefined {
  const points = [...prefix].map((character) => character.codePointAt(0) ?? 0);
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    if (last === CODE_POINT_MAX) continue;
    const next = last + 1 === SURROGATES_START ? SURROGATES_END : last + 1;
    return String.fromCodePoint(...points, next);
  }
  return undefined;
}

/** Where `key` is in the sorted `keys`, or would be inserted. */
export function keyPosition(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareKeys(keys[middle] ?? '', key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

const CODE_POINT_MAX = 0x10ffff;
const SURROGATES_START = 0xd800;
const SURROGATES_END = 0xe000;

/** Surrogates stand for code points above U+FFFF, so they rank above U+E000 to U+FFFF. */
function utf8Rank(unit: number): number {
  if (unit >= SURROGATES_END) return unit - (SURROGATES_END - SURROGATES_START);
  if (unit >= SURROGATES_START) return unit + 0x10000 - SURROGATES_END;
  return unit;
}
