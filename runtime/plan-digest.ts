import { createHash } from 'node:crypto';
import type { PlanObject } from '../proto/gen/b8s/v1/plan.ts';
import { encodeObject } from './plan-object.ts';

/** SHA-256 of one object as it travels. */
export function objectDigest(object: PlanObject): Uint8Array {
  return createHash('sha256').update(encodeObject(object)).digest();
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
  return combine(digests.keys(), (key) => digests.get(key));
}

/** The same, from the objects; each one's key in the map is its `key`. */
export function planDigest(
  objects: ReadonlyMap<string, PlanObject>,
  digestOf: typeof objectDigest = objectDigest,
): string {
  return combine(objects.keys(), (key) => {
    const object = objects.get(key);
    return object && digestOf(object);
  });
}

const NUL = 0;
const LINE_FEED = 10;
const LINE_BYTES_BESIDE_KEY = 34;
/** Of a UTF-16 code unit in UTF-8, at most. */
const UNIT_BYTES_MAX = 3;

/** In one piece of memory: plans of ten thousand objects are compared at each change. */
function combine(
  keys: Iterable<string>,
  digestOf: (key: string) => Uint8Array | undefined,
): string {
  const ordered = [...keys].toSorted();
  const bytesMax = ordered.reduce(
    (sum, key) => sum + UNIT_BYTES_MAX * key.length + LINE_BYTES_BESIDE_KEY,
    0,
  );
  const text = Buffer.allocUnsafe(bytesMax);
  let at = 0;
  for (const key of ordered) {
    at += text.write(key, at);
    text[at] = NUL;
    at += 1;
    const digest = digestOf(key);
    if (digest !== undefined) {
      text.set(digest, at);
      at += digest.length;
    }
    text[at] = LINE_FEED;
    at += 1;
  }
  return createHash('sha256').update(text.subarray(0, at)).digest('hex');
}
