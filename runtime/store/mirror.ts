import { type KindMap, type KindName, kindsByName } from '../../api/kinds.ts';
import type { Resource } from '../../api/object.ts';
import type { Clock } from '../clock.ts';
import { backoffMs } from '../control/backoff.ts';
import type { Log } from '../log.ts';
import type { Random } from '../random.ts';
import { type ObjectName, parseKey, qualifiedName, recordKey, WORLD_PREFIX } from './keys.ts';
import type { RecordKind, Records, Stored } from './records.ts';
import { type Change, CompactedError, type KeyValue, type Revision, type Store } from './store.ts';
import type { World, WorldChange } from './world.ts';

const RETRY = { baseMs: 100, capMs: 5_000 };

export type WorldListener = (changes: readonly WorldChange[], revision: Revision) => void;

/**
 * The world, kept in memory from a list and a watch.
 *
 * Expected flow: `run` lists everything, tells the listeners of each object as a change, then
 * follows the watch; when a watch expires it lists again and tells the difference.
 *
 * Guarantees: listeners are called once for each revision, in order, after the mirror shows it;
 * a listener never misses the last state of a name.
 * Caveats: after a relist several revisions arrive as one.
 */
export class Mirror implements World {
  revision: Revision = 0n;
  readonly #objects = new Map<string, Map<string, Resource>>();
  readonly #records = new Map<string, Map<string, Stored<unknown>>>();
  readonly #sorted = new Map<string, readonly unknown[]>();
  readonly #listeners = new Set<WorldListener>();
  readonly #waiters = new Set<{ readonly revision: Revision; readonly resolve: () => void }>();
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #log: Log;

  constructor(ports: { store: Store; clock: Clock; random: Random; log: Log }) {
    this.#store = ports.store;
    this.#clock = ports.clock;
    this.#random = ports.random;
    this.#log = ports.log;
  }

  get<K extends KindName>(kind: K, name: Omit<ObjectName, 'kind'>): KindMap[K] | undefined {
    return this.#objects.get(kindsByName[kind].plural)?.get(qualifiedName(name)) as
      | KindMap[K]
      | undefined;
  }

  list<K extends KindName>(kind: K): readonly KindMap[K][] {
    const { plural } = kindsByName[kind];
    return this.#inOrder(plural, () =>
      [...(this.#objects.get(plural) ?? [])].toSorted(byName).map(([, object]) => object),
    ) as readonly KindMap[K][];
  }

  record<R extends RecordKind>(record: R, id: string): Stored<Records[R]> | undefined {
    return this.#records.get(record)?.get(id) as Stored<Records[R]> | undefined;
  }

  records<R extends RecordKind>(record: R): readonly (readonly [string, Stored<Records[R]>])[] {
    return this.#inOrder(`system/${record}`, () =>
      [...(this.#records.get(record) ?? [])].toSorted(byName),
    ) as readonly (readonly [string, Stored<Records[R]>])[];
  }

  /** Returns what ends the subscription. */
  subscribe(listener: WorldListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Every object and record as a change: for a listener that begins after the first list. */
  everything(): readonly WorldChange[] {
    const changes: WorldChange[] = [];
    for (const [, objects] of [...this.#objects].toSorted(byName))
      for (const [, object] of [...objects].toSorted(byName))
        changes.push(objectChange(object, undefined, { deleted: false }));
    for (const [record, entries] of [...this.#records].toSorted(byName))
      for (const id of [...entries.keys()].toSorted())
        changes.push({ kind: 'record', record: record as RecordKind, id, deleted: false });
    return changes;
  }

  /**
   * Resolves once the mirror shows that revision: to read one's own write. Rejects with the
   * signal's reason when it is aborted.
   */
  async reached(revision: Revision, signal?: AbortSignal): Promise<void> {
    if (this.revision >= revision && this.revision > 0n) return;
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter = { revision, resolve };
    const abort = (): void => reject(signal?.reason);
    this.#waiters.add(waiter);
    signal?.addEventListener('abort', abort, { once: true });
    try {
      await promise;
    } finally {
      this.#waiters.delete(waiter);
      signal?.removeEventListener('abort', abort);
    }
  }

  /** Resolves once the mirror shows all that the store held when this was called; rejects like that. */
  async current(signal?: AbortSignal): Promise<void> {
    const { revision } = await this.#store.list(WORLD_PREFIX, { limit: 1 });
    await this.reached(revision, signal);
  }

  /** Follows the store until the signal is aborted; retries all by itself. */
  async run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      try {
        await this.#relist();
        failures = 0;
        await this.#follow(signal);
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        this.#log.warn({ error: String(error), failures }, 'mirror: reading the store failed');
        await this.#clock
          .sleep(backoffMs(failures, RETRY, this.#random), signal)
          .catch(() => undefined);
      }
    }
  }

  async #relist(): Promise<void> {
    const { items, revision } = await listAll(this.#store, WORLD_PREFIX);
    const present = new Set(items.map((item) => item.key));
    const changes: Change[] = items.map((item) => ({ kind: 'put', item }));
    for (const key of this.#keys())
      if (!present.has(key)) changes.push({ kind: 'delete', key, modRevision: revision });
    this.#apply(changes, revision);
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const events = this.#store.watch(WORLD_PREFIX, { afterRevision: this.revision, signal });
    for await (const event of events) {
      if (event.kind === 'expired') {
        this.#log.info(
          { compactRevision: String(event.compactRevision) },
          'mirror: watch expired, listing again',
        );
        return;
      }
      this.#apply(event.kind === 'changes' ? event.changes : [], event.revision);
    }
  }

  #apply(changes: readonly Change[], revision: Revision): void {
    const told = changes.flatMap((change) => this.#understood(change) ?? []);
    if (revision > this.revision) this.revision = revision;
    if (told.length > 0) for (const listener of [...this.#listeners]) this.#tell(listener, told);
    for (const waiter of [...this.#waiters])
      if (this.revision >= waiter.revision) {
        this.#waiters.delete(waiter);
        waiter.resolve();
      }
  }

  /** A listener that fails must not keep the others from hearing (INV-5). */
  #tell(listener: WorldListener, changes: readonly WorldChange[]): void {
    try {
      listener(changes, this.revision);
    } catch (error) {
      this.#log.error({ error: String(error) }, 'mirror: a listener failed');
    }
  }

  /** What is not JSON is another version's, or damaged: it is left alone, as unknown keys are. */
  #understood(change: Change): WorldChange | undefined {
    try {
      return this.#applyOne(change);
    } catch (error) {
      const { key } = change.kind === 'put' ? change.item : change;
      this.#log.error({ key, error: String(error) }, 'mirror: a key cannot be understood');
      return undefined;
    }
  }

  #applyOne(change: Change): WorldChange | undefined {
    const key = change.kind === 'put' ? change.item.key : change.key;
    const parsed = parseKey(key);
    if (parsed === undefined) return undefined;
    if (parsed.kind === 'record') {
      const entries = room(this.#records, parsed.record);
      this.#sorted.delete(`system/${parsed.record}`);
      if (change.kind === 'delete') entries.delete(parsed.id);
      else if (entries.get(parsed.id)?.modRevision === change.item.modRevision) return undefined;
      else
        entries.set(parsed.id, {
          value: JSON.parse(change.item.value),
          modRevision: change.item.modRevision,
        });
      return {
        kind: 'record',
        record: parsed.record,
        id: parsed.id,
        deleted: change.kind === 'delete',
      };
    }
    const objects = room(this.#objects, parsed.plural);
    const before = objects.get(parsed.name);
    this.#sorted.delete(parsed.plural);
    if (change.kind === 'delete') {
      objects.delete(parsed.name);
      return before === undefined ? undefined : objectChange(before, before, { deleted: true });
    }
    const object = decodeObject(change.item);
    if (before?.metadata.resourceVersion === object.metadata.resourceVersion) return undefined;
    objects.set(parsed.name, object);
    return objectChange(object, before, { deleted: false });
  }

  #keys(): readonly string[] {
    const objects = [...this.#objects].flatMap(([plural, entries]) =>
      [...entries.keys()].map((name) => `${WORLD_PREFIX}${plural}/${name}`),
    );
    const records = [...this.#records].flatMap(([record, entries]) =>
      [...entries.keys()].map((id) => recordKey(record as RecordKind, id)),
    );
    return [...objects, ...records].toSorted();
  }

  #inOrder(name: string, sort: () => readonly unknown[]): readonly unknown[] {
    const known = this.#sorted.get(name);
    if (known !== undefined) return known;
    const sorted = sort();
    this.#sorted.set(name, sorted);
    return sorted;
  }
}

/** The object in a key's value, with the revision that last changed it. */
export function decodeObject(item: KeyValue): Resource {
  const object = JSON.parse(item.value) as Resource;
  return {
    ...object,
    metadata: { ...object.metadata, resourceVersion: String(item.modRevision) },
  };
}

/** All pages, at one revision; begins again when that revision is compacted on the way. */
export async function listAll(
  store: Store,
  prefix: string,
): Promise<{ readonly items: readonly KeyValue[]; readonly revision: Revision }> {
  for (;;) {
    try {
      return await listPages(store, prefix);
    } catch (error) {
      if (!(error instanceof CompactedError)) throw error;
    }
  }
}

async function listPages(
  store: Store,
  prefix: string,
): Promise<{ items: KeyValue[]; revision: Revision }> {
  const first = await store.list(prefix);
  const items = [...first.items];
  let { more } = first;
  while (more) {
    const afterKey = items.at(-1)?.key ?? prefix;
    const page = await store.list(prefix, { revision: first.revision, afterKey });
    items.push(...page.items);
    ({ more } = page);
  }
  return { items, revision: first.revision };
}

function room<Value>(rooms: Map<string, Map<string, Value>>, name: string): Map<string, Value> {
  const known = rooms.get(name);
  if (known !== undefined) return known;
  const made = new Map<string, Value>();
  rooms.set(name, made);
  return made;
}

function objectChange(
  object: Resource,
  before: Resource | undefined,
  { deleted }: { deleted: boolean },
): WorldChange {
  return { kind: 'object', object, before, deleted } as WorldChange;
}

function byName(a: readonly [string, unknown], b: readonly [string, unknown]): number {
  return a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0;
}
