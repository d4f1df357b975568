/** Entries of a map, so many at most lie together; a change copies no more than these. */
export const CHUNK_ENTRIES_MAX = 128;

/** Some entries that follow one another. Never changed: what was found out of it holds for good. */
export type Chunk<V> = readonly (readonly [string, V])[];

/**
 * A map in the order of its keys' UTF-16 code units that is never changed: `with` makes another one,
 * which shares with this one all but the chunks that the changes fall into. So versions of a plan of
 * ten thousand objects cost what differs between them, and so does what is kept for each chunk.
 */
export class SortedMap<V> implements ReadonlyMap<string, V> {
  readonly chunks: readonly Chunk<V>[];
  readonly size: number;

  /** `chunks`: none empty, in order. */
  private constructor(chunks: readonly Chunk<V>[]) {
    this.chunks = chunks;
    this.size = chunks.reduce((sum, { length }) => sum + length, 0);
  }

  /** Of two entries with one key the later one counts. */
  static from<V>(entries: Iterable<readonly [string, V]>): SortedMap<V> {
    if (entries instanceof SortedMap) return entries as SortedMap<V>;
    const sorted = [...new Map(entries)].toSorted(([a], [b]) => compareKeys(a, b));
    return new SortedMap(split(sorted));
  }

  get(key: string): V | undefined {
    const chunk = this.chunks[this.#chunkOf(key)] ?? [];
    const at = placeOf(chunk, key);
    return chunk[at]?.[0] === key ? chunk[at][1] : undefined;
  }

  has(key: string): boolean {
    const chunk = this.chunks[this.#chunkOf(key)] ?? [];
    return chunk[placeOf(chunk, key)]?.[0] === key;
  }

  /** First without what is removed, then with the entries. */
  with(changes: {
    readonly removals?: Iterable<string>;
    readonly entries?: Iterable<readonly [string, V]>;
  }): SortedMap<V> {
    const byChunk = new Map<number, Map<string, readonly [string, V] | undefined>>();
    const note = (key: string, entry: readonly [string, V] | undefined): void => {
      const index = this.#chunkOf(key);
      byChunk.set(index, (byChunk.get(index) ?? new Map()).set(key, entry));
    };
    for (const key of changes.removals ?? []) note(key, undefined);
    for (const entry of changes.entries ?? []) note(entry[0], entry);
    if (byChunk.size === 0) return this;
    // The first changes of an empty map have no chunk to fall into.
    const chunks = this.chunks.length === 0 ? [[]] : this.chunks;
    return new SortedMap(
      chunks.flatMap((chunk, index) => {
        const noted = byChunk.get(index);
        return noted === undefined ? [chunk] : split(merged(chunk, noted));
      }),
    );
  }

  *entries(): MapIterator<[string, V]> {
    for (const chunk of this.chunks) for (const [key, value] of chunk) yield [key, value];
    return undefined;
  }

  *keys(): MapIterator<string> {
    for (const chunk of this.chunks) for (const [key] of chunk) yield key;
    return undefined;
  }

  *values(): MapIterator<V> {
    for (const chunk of this.chunks) for (const [, value] of chunk) yield value;
    return undefined;
  }

  [Symbol.iterator](): MapIterator<[string, V]> {
    return this.entries();
  }

  forEach(visit: (value: V, key: string, map: ReadonlyMap<string, V>) => void): void {
    for (const [key, value] of this.entries()) visit(value, key, this);
  }

  /** The last chunk that begins at the key or before it; else the first. */
  #chunkOf(key: string): number {
    let [low, high] = [0, this.chunks.length];
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      const first = this.chunks[middle]?.[0]?.[0] ?? '';
      if (first <= key) low = middle;
      else high = middle;
    }
    return low;
  }
}

/** The order of UTF-16 code units, in which JavaScript compares texts. */
function compareKeys(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Where the key is, or would be. */
function placeOf<V>(chunk: Chunk<V>, key: string): number {
  let [low, high] = [0, chunk.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((chunk[middle]?.[0] ?? '') < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

function merged<V>(
  chunk: Chunk<V>,
  noted: ReadonlyMap<string, readonly [string, V] | undefined>,
): Chunk<V> {
  const kept = chunk.filter(([key]) => !noted.has(key));
  const added = [...noted.values()].filter((entry) => entry !== undefined);
  return [...kept, ...added].toSorted(([a], [b]) => compareKeys(a, b));
}

/** Into equal parts, so that small ones stay few. */
function split<V>(entries: Chunk<V>): readonly Chunk<V>[] {
  if (entries.length === 0) return [];
  const parts = Math.ceil(entries.length / CHUNK_ENTRIES_MAX);
  const each = Math.ceil(entries.length / parts);
  return Array.from({ length: parts }, (_, part) => entries.slice(part * each, (part + 1) * each));
}
