import type { RevisionChanges } from '../../runtime/store/change-log.ts';
import { compareKeys } from '../../runtime/store/key-order.ts';
import type { Change, KeyValue, Revision } from '../../runtime/store/store.ts';
import type { StoreEvent } from './store-event.ts';

/** What became of one key at one revision; `item` undefined: it was deleted. */
export interface Version {
  readonly modRevision: Revision;
  readonly item: KeyValue | undefined;
}

/** All that a store ever held, also of what it has compacted away: the truth to check against. */
export class StoreHistory {
  /** Nothing ever happens at revision 1. */
  head: Revision = 1n;
  compacted: Revision = 1n;
  readonly #made: RevisionChanges[] = [];
  readonly #versions = new Map<string, Version[]>();
  /** All keys that there ever were, sorted. */
  readonly #keys: string[] = [];

  /** Learns what there is to learn from it. */
  learn(event: StoreEvent): void {
    if (event.kind === 'revision') this.add(event);
    if (event.kind === 'compacted' && event.revision > this.compacted)
      this.compacted = event.revision;
  }

  /** Throws for a revision that is not newer than all before. */
  add({ revision, changes }: RevisionChanges): void {
    if (revision <= this.head) throw new Error(`revision ${revision} after ${this.head}`);
    this.head = revision;
    this.#made.push({ revision, changes });
    for (const change of changes) {
      const item = change.kind === 'put' ? change.item : undefined;
      const key = keyOf(change);
      this.#versionsOf(key).push({ modRevision: revision, item });
    }
  }

  get(key: string, revision: Revision): KeyValue | undefined {
    return this.#at(key, revision)?.item;
  }

  /** Sorted by key. */
  list(prefix: string, revision: Revision): readonly KeyValue[] {
    const items: KeyValue[] = [];
    for (let index = this.#placeOf(prefix); index < this.#keys.length; index += 1) {
      const key = this.#keys[index];
      if (key?.startsWith(prefix) !== true) break;
      const item = this.get(key, revision);
      if (item !== undefined) items.push(item);
    }
    return items;
  }

  /** What became of a key after one revision and up to another, oldest first. */
  versions(
    key: string,
    { after, upTo }: { readonly after: Revision; readonly upTo: Revision },
  ): readonly Version[] {
    const all = this.#versions.get(key) ?? [];
    const start = all.findLastIndex(({ modRevision }) => modRevision <= after) + 1;
    return all.slice(start).filter(({ modRevision }) => modRevision <= upTo);
  }

  /** What changed under a prefix at that revision, sorted by key. */
  changesAt(prefix: string, revision: Revision): readonly Change[] {
    const made = this.#made[this.#indexAfter(revision - 1n)];
    return made?.revision === revision ? under(prefix, made.changes) : [];
  }

  /** The first revision after `after`, up to `upTo`, with changes under the prefix. */
  nextChanged(
    prefix: string,
    { after, upTo }: { readonly after: Revision; readonly upTo: Revision },
  ): Revision | undefined {
    for (let index = this.#indexAfter(after); index < this.#made.length; index += 1) {
      const made = this.#made[index];
      if (made === undefined || made.revision > upTo) return undefined;
      if (made.changes.some((change) => keyOf(change).startsWith(prefix))) return made.revision;
    }
    return undefined;
  }

  #versionsOf(key: string): Version[] {
    const known = this.#versions.get(key);
    if (known !== undefined) return known;
    const versions: Version[] = [];
    this.#versions.set(key, versions);
    this.#keys.splice(this.#placeOf(key), 0, key);
    return versions;
  }

  /** Where in `#keys` the first one stands that does not come before this. */
  #placeOf(key: string): number {
    let [low, high] = [0, this.#keys.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareKeys(this.#keys[middle] ?? '', key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #at(key: string, revision: Revision): Version | undefined {
    return this.#versions.get(key)?.findLast(({ modRevision }) => modRevision <= revision);
  }

  #indexAfter(revision: Revision): number {
    let [low, high] = [0, this.#made.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#made[middle]?.revision ?? 0n) <= revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export function keyOf(change: Change): string {
  return change.kind === 'put' ? change.item.key : change.key;
}

function under(prefix: string, changes: readonly Change[]): readonly Change[] {
  return changes.filter((change) => keyOf(change).startsWith(prefix));
}
