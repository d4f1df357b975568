import { createHash } from 'node:crypto';
import { PlanObject } from '../proto/gen/b8s/v1/plan.ts';

/** SHA-256 of one object as it travels. */
export function objectDigest(object: PlanObject): Uint8Array {
  return createHash('sha256').update(PlanObject.encode(object).finish()).digest();
}

/** What each object's digest is, kept for as long as the object is: most of a plan never changes. */
export function rememberedDigests(): typeof objectDigest {
  const known = new WeakMap<PlanObject, Uint8Array>();
  return (object) => {
    const digest = known.get(object) ?? objectDigest(object);
    known.set(object, digest);
    return digest;
  };
}

/**
 * The digest of a whole plan, by which dom and sub see whether they speak of the same one: SHA-256,
 * as 64 hex digits, over `key NUL digest LF` of each object in the order of its key's UTF-16 code
 * units.
 */
export function combinedDigest(digests: ReadonlyMap<string, Uint8Array>): string {
  const lines = [...digests.keys()].toSorted().map((key) => {
    const digest = digests.get(key) ?? new Uint8Array();
    return Buffer.concat([Buffer.from(`${key}\0`), digest, LINE_END]);
  });
  return createHash('sha256').update(Buffer.concat(lines)).digest('hex');
}

const LINE_END = Buffer.from('\n');

/** The same, from the objects; each one's key in the map is its `key`. */
export function planDigest(
  objects: ReadonlyMap<string, PlanObject>,
  digestOf: typeof objectDigest = objectDigest,
): string {
  return combinedDigest(new Map([...objects].map(([key, object]) => [key, digestOf(object)])));
}
