import { compareKeys, keyPosition } from './key-order.ts';
import type { KeyValue, LeaseId, Revision, Write } from './store.ts';

interface Version {
  readonly modRevision: Revision;
  /** Undefined: deleted at this revision. */
  readonly item: KeyValue | undefined;
}

/** All keys of a memory store, each with its versions since the last compaction. */
export class KeySpace {
  readonly #versions = new Map<string, Version[]>();
  readonly #leaseOf = new Map<string, LeaseId>();
  readonly #keysOf = new Map<LeaseId, Set<string>>();
  /** Sorted; includes deleted keys that an older revision still has. */
  readonly #sorted: string[] = [];

  get(key: string): KeyValue | undefined {
    return this.#versions.get(key)?.at(-1)?.item;
  }

  list(
    prefix: string,
    options: { readonly revision: Revision; readonly limit: number; readonly afterKey: string },
  ): readonly KeyValue[] {
    const { revision, limit, afterKey } = options;
    const items: KeyValue[] = [];
    const first = compareKeys(afterKey, prefix) > 0 ? afterKey : prefix;
    for (let index = keyPosition(this.#sorted, first); items.length < limit; index += 1) {
      const key = this.#sorted[index];
      if (key === undefined || !key.startsWith(prefix)) break;
      if (key === afterKey) continue;
      const version = this.#versions.get(key)?.findLast((known) => known.modRevision <= revision);
      if (version?.item !== undefined) items.push(version.item);
    }
    return items;
  }

  put(write: Extract<Write, { kind: 'put' }>, revision: Revision): KeyValue {
    const { key, value, lease } = write;
    const createRevision = this.get(key)?.createRevision ?? revision;
    const item = { key, value, createRevision, modRevision: revision };
    this.#append(key, { modRevision: revision, item });
    this.#attach(key, lease);
    return item;
  }

  /** False: there was nothing to delete. */
  delete(key: string, revision: Revision): boolean {
    if (this.get(key) === undefined) return false;
    this.#append(key, { modRevision: revision, item: undefined });
    this.#attach(key, undefined);
    return true;
  }

  ofLease(lease: LeaseId): readonly string[] {
    return [...(this.#keysOf.get(lease) ?? [])].toSorted(compareKeys);
  }

  /** Keeps of each key what is needed to read it at `revision` or later. */
  compact(revision: Revision): void {
    for (const key of [...this.#sorted]) {
      const versions = this.#versions.get(key) ?? [];
      const oldest = versions.findLastIndex((version) => version.modRevision <= revision);
      const kept = versions.slice(Math.max(0, oldest));
      if (kept.length === 1 && kept[0]?.item === undefined) {
        this.#versions.delete(key);
        this.#sorted.splice(keyPosition(this.#sorted, key), 1);
      } else if (kept.length < versions.length) {
        this.#versions.set(key, kept);
      }
    }
  }

  #append(key: string, version: Version): void {
    const versions = this.#versions.get(key);
    if (versions !== undefined) {
      versions.push(version);
      return;
    }
    this.#sorted.splice(keyPosition(this.#sorted, key), 0, key);
    this.#versions.set(key, [version]);
  }

  #attach(key: string, lease: LeaseId | undefined): void {
    const before = this.#leaseOf.get(key);
    if (before !== undefined) {
      this.#leaseOf.delete(key);
      const keys = this.#keysOf.get(before);
      keys?.delete(key);
      if (keys?.size === 0) this.#keysOf.delete(before);
    }
    if (lease === undefined) return;
    this.#leaseOf.set(key, lease);
    const keys = this.#keysOf.get(lease) ?? new Set();
    this.#keysOf.set(lease, keys.add(key));
  }
}
