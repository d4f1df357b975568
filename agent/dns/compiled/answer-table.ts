import type { Choice } from './geo-decisions.ts';
import type { PlainQuery } from './plain-query.ts';
import type { Template } from './template.ts';

/** What is known of the answers to one name and type. */
export type Known =
  | { readonly kind: 'fixed'; readonly template: Template }
  | {
      readonly kind: 'geo';
      /** Geo names of one group have the same candidates and policy. */
      readonly group: number;
      /** Of this name and type. */
      readonly own: Map<Choice, Template>;
      /** Of all names of the group with this type and TTL; undefined: aliases lead there. */
      readonly shared: Map<Choice, Template> | undefined;
    }
  /** Only the general path can tell. */
  | { readonly kind: 'general' };

interface Row {
  readonly hash: number;
  /** As in `PlainQuery`. */
  readonly name: Int32Array;
  readonly type: number;
  readonly known: Known;
  next: Row | undefined;
}

/** Powers of two. */
const BUCKETS_MIN = 256;
const BUCKETS_MAX = 16_384;
/** Names and types, and choices of geo names, that answers are kept of. */
export const ANSWERS_MAX = 32_768;

/**
 * Name and type → what is known of the answer, by the bytes of the query: no string is made of them. When it is full it starts again empty, and from then on takes in only
 * what is asked for a second time, so that a walk through a large zone is not written down in vain.
 */
export class AnswerTable {
  /** Empty until there is something to keep: many snapshots are never asked. */
  #buckets: (Row | undefined)[] = [];
  readonly #shared: Map<string, Map<Choice, Template>> = new Map();
  #count = 0;
  #rows = 0;
  /** A bit for each hash that was asked for; undefined while all that is asked for has room. */
  #seen: Uint8Array | undefined;

  find(query: PlainQuery): Known | undefined {
    let row = this.#buckets[query.hash & (this.#buckets.length - 1)];
    for (; row !== undefined; row = row.next) {
      const isAlike = row.hash === query.hash && row.type === query.type;
      if (isAlike && isNamed(row.name, query)) return row.known;
    }
    return undefined;
  }

  /** Whether an answer to this should be kept. */
  admits({ hash }: PlainQuery): boolean {
    if (this.#seen === undefined) return true;
    const bit = hash >>> 14;
    const mask = 1 << (bit & 7);
    const before = this.#seen[bit >>> 3] ?? 0;
    this.#seen[bit >>> 3] = before | mask;
    return (before & mask) !== 0;
  }

  /** `known` is of a name and type that are not there yet. */
  keep(query: PlainQuery, known: Known): void {
    this.grow();
    this.#rows += 1;
    const isFull = this.#rows > this.#buckets.length && this.#buckets.length < BUCKETS_MAX;
    if (isFull) this.#widen();
    const name = query.name.slice(0, query.nameWords);
    this.#put({ hash: query.hash, name, type: query.type, known, next: undefined });
  }

  #put(row: Row): void {
    const bucket = row.hash & (this.#buckets.length - 1);
    row.next = this.#buckets[bucket];
    this.#buckets[bucket] = row;
  }

  #widen(): void {
    const before = this.#buckets;
    this.#buckets = Array.from({ length: Math.max(BUCKETS_MIN, 4 * before.length) });
    for (const first of before) {
      for (let row = first, next = row?.next; row !== undefined; row = next, next = row?.next)
        this.#put(row);
    }
  }

  /** Answers that geo names have in common, by group, type and TTL. */
  sharedBy(key: string): Map<Choice, Template> {
    const shared = this.#shared.get(key) ?? new Map<Choice, Template>();
    this.#shared.set(key, shared);
    return shared;
  }

  /** One answer more is kept. */
  grow(): void {
    this.#count += 1;
    if (this.#count <= ANSWERS_MAX) return;
    this.#buckets.fill(undefined);
    this.#rows = 0;
    this.#shared.clear();
    this.#seen = new Uint8Array(2 ** 15);
    this.#count = 1;
  }
}

function isNamed(name: Int32Array, query: PlainQuery): boolean {
  if (name.length !== query.nameWords) return false;
  for (let at = 0; at < name.length; at += 1) {
    if (name[at] !== query.name[at]) return false;
  }
  return true;
}
