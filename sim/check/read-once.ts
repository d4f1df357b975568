import type { KeyValue } from '../../runtime/store/store.ts';

const known = new WeakMap<KeyValue, object>();

/**
 * What the value of an item says, as JSON: an object. A check that asks what was there at each of
 * many revisions meets the same item again and again, and reads it once.
 */
export function readOnce<T extends object>(item: KeyValue): T {
  const before = known.get(item);
  if (before !== undefined) return before as T;
  const value = JSON.parse(item.value) as T;
  known.set(item, value);
  return value;
}
