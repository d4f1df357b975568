import { createHash } from 'node:crypto';
import { PlanObject } from '../proto/gen/b8s/v1/plan.ts';

/** SHA-256 of one object as it travels. */
export function objectDigest(object: PlanObject): Uint8Array {
  return createHash('sha256').update(PlanObject.encode(object).finish()).digest();
}

/**
 * The digest of a whole plan, by which dom and sub see whether they speak of the same one: SHA-256,
 * as 64 hex digits, over `key NUL digest LF` of each object in the order of its key's UTF-16 code
 * units.
 */
export function combinedDigest(digests: ReadonlyMap<string, Uint8Array>): string {
  const combined = createHash('sha256');
  for (const key of [...digests.keys()].toSorted()) {
    combined.update(`${key}\0`);
    combined.update(digests.get(key) ?? new Uint8Array());
    combined.update('\n');
  }
  return combined.digest('hex');
}

/** The same, from the objects; each one's key in the map is its `key`. */
export function planDigest(objects: ReadonlyMap<string, PlanObject>): string {
  return combinedDigest(new Map([...objects].map(([key, object]) => [key, objectDigest(object)])));
}
