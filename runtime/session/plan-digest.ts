import { createHash } from 'node:crypto';
import type { PlanObject } from '../../proto/gen/b8s/v1/plan.ts';
import { type Chunk, SortedMap } from '../store/sorted-map.ts';
import { encodeObject } from './plan-object.ts';

/** SHA-256 of one object as it travels. */
export function objectDigest(object: PlanObject): Uint8Array {
  return createHash('sha256').update(encodeObject(object)).digest();
}

/** The digest of a whole plan, from its objects; each one's key in the map is its `key`. */
export type PlanDigest = (objects: ReadonlyMap<string, PlanObject>) => string;

/**
 * The digest of a whole plan, by which dom and sub see whether they speak of the same one: SHA-256,
 * as 64 hex digits, over `key NUL digest LF` of each object in the order of its key's UTF-16 code
 * units.
 */
export function combinedDigest(digests: ReadonlyMap<string, Uint8Array>): string {
  const { chunks } = SortedMap.from(digests);
  return hashOf(chunks.map((chunk) => linesOf(chunk, (digest) => digest)));
}

export function planDigest(objects: ReadonlyMap<string, PlanObject>): string {
  return hashOf(SortedMap.from(objects).chunks.map((chunk) => linesOf(chunk, objectDigest)));
}

/**
 * The same; what it is made of is kept for as long as the objects are, and for as long as they lie
 * together in a sorted map: of two versions of a plan only what differs is digested.
 */
export function rememberedPlanDigest(digestOf: typeof objectDigest = objectDigest): PlanDigest {
  const known = new WeakMap<PlanObject, Uint8Array>();
  const knownLines = new WeakMap<Chunk<PlanObject>, Uint8Array>();
  const digestOnce = (object: PlanObject): Uint8Array => {
    const digest = known.get(object) ?? digestOf(object);
    known.set(object, digest);
    return digest;
  };
  return (objects) => {
    const parts = SortedMap.from(objects).chunks.map((chunk) => {
      const lines = knownLines.get(chunk) ?? linesOf(chunk, digestOnce);
      knownLines.set(chunk, lines);
      return lines;
    });
    return hashOf(parts);
  };
}

const NUL = 0;
const LINE_FEED = 10;
const LINE_BYTES_BESIDE_KEY = 34;
/** Of a UTF-16 code unit in UTF-8, at most. */
const UNIT_BYTES_MAX = 3;

/** In one piece of memory of their own, for they are kept. */
function linesOf<V>(chunk: Chunk<V>, digestOf: (value: V) => Uint8Array): Uint8Array {
  const bytesMax = chunk.reduce(
    (sum, [key]) => sum + UNIT_BYTES_MAX * key.length + LINE_BYTES_BESIDE_KEY,
    0,
  );
  const text = Buffer.allocUnsafe(bytesMax);
  let at = 0;
  for (const [key, value] of chunk) {
    at += text.write(key, at);
    text[at] = NUL;
    at += 1;
    const digest = digestOf(value);
    text.set(digest, at);
    at += digest.length;
    text[at] = LINE_FEED;
    at += 1;
  }
  return Uint8Array.prototype.slice.call(text, 0, at);
}

function hashOf(parts: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}
