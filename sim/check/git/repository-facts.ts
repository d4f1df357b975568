import type { KindName } from '../../../api/kinds.ts';
import { condition, type Resource } from '../../../api/object.ts';
import type { Repository } from '../../../api/repository.ts';
import type {
  RepositoryObjectRecord,
  RepositoryRecord,
} from '../../../runtime/repository-records.ts';
import { kindPrefix, type ObjectName, objectKey, recordKey } from '../../../runtime/store/keys.ts';
import { decodeObject } from '../../../runtime/store/mirror.ts';
import type { Revision } from '../../../runtime/store/store.ts';
import { readOnce } from '../read-once.ts';
import type { StoreHistory } from '../store-history.ts';

export const RECORDS: string = recordKey('repository', '');
export const INVENTORIES: string = recordKey('repositoryObject', '');
export const UNDOS: string = recordKey('repositoryUndo', '');
const MANAGER = 'repository/';

/** What the store held of Repositories at a revision. */
export class RepositoryFacts {
  readonly #history: StoreHistory;

  constructor(history: StoreHistory) {
    this.#history = history;
  }

  get head(): Revision {
    return this.#history.head;
  }

  all(at: Revision): readonly Repository[] {
    return this.#history
      .list(kindPrefix('Repository'), at)
      .map((item) => decodeObject(item) as Repository);
  }

  /** By the field manager that it writes as; undefined: that is no Repository. */
  byManager(manager: string, at: Revision): Repository | undefined {
    if (!manager.startsWith(MANAGER)) return undefined;
    const [namespace = '', name] = manager.slice(MANAGER.length).split('/');
    return this.all(at).find(
      ({ metadata }) => metadata.namespace === namespace && metadata.name === name,
    );
  }

  record({ metadata }: Repository, at: Revision): RepositoryRecord | undefined {
    const item = this.#history.get(`${RECORDS}${metadata.uid}`, at);
    return item === undefined ? undefined : readOnce<RepositoryRecord>(item);
  }

  /** What it keeps: by key of the object, `Issuer//git-a`. */
  inventory({ metadata }: Repository, at: Revision): ReadonlyMap<string, RepositoryObjectRecord> {
    const prefix = `${INVENTORIES}${metadata.uid}/`;
    return new Map(
      this.#history
        .list(prefix, at)
        .map((item) => [item.key.slice(prefix.length), readOnce<RepositoryObjectRecord>(item)]),
    );
  }

  /** The revision in which it was last noted that it keeps an object; undefined: it does not. */
  keptSince({ metadata }: Repository, key: string, at: Revision): Revision | undefined {
    return this.#history.get(`${INVENTORIES}${metadata.uid}/${key}`, at)?.modRevision;
  }

  /** The commit that is in force, or is being brought in. */
  commit(repository: Repository, at: Revision): string | undefined {
    const { applied, attempt } = this.record(repository, at) ?? {};
    return attempt?.commit ?? applied?.commit;
  }

  /** Keys of objects that its attempt has touched. */
  undo({ metadata }: Repository, at: Revision): ReadonlyMap<string, { readonly found: string }> {
    const prefix = `${UNDOS}${metadata.uid}/`;
    return new Map(
      this.#history.list(prefix, at).map((item) => [item.key.slice(prefix.length), readOnce(item)]),
    );
  }

  /** Whether an object, as it is, has ever been Ready. */
  wasReady(key: string, at: Revision): boolean {
    const generation = this.live(key, at)?.metadata.generation;
    return this.#history.versions(storeKeyOf(key), { after: 0n, upTo: at }).some(({ item }) => {
      const object = item === undefined ? undefined : decodeObject(item);
      const ready = object && condition(object, 'Ready');
      return ready?.status === 'True' && ready.observedGeneration === generation;
    });
  }

  list(kind: KindName, at: Revision): readonly Resource[] {
    return this.#history.list(kindPrefix(kind), at).map((item) => decodeObject(item));
  }

  /** By key as inventories have it. */
  live(key: string, at: Revision): Resource | undefined {
    const item = this.#history.get(storeKeyOf(key), at);
    return item === undefined ? undefined : decodeObject(item);
  }
}

function nameOf(key: string): ObjectName {
  const [kind = '', namespace = '', name = ''] = key.split('/');
  return { kind: kind as KindName, name, ...(namespace !== '' && { namespace }) };
}

/** Where the object of a key of an inventory lies in the store. */
export function storeKeyOf(key: string): string {
  return objectKey(nameOf(key));
}

/** `Issuer//git-a` */
export function keyOfObject({ kind, metadata }: Resource): string {
  return `${kind}/${metadata.namespace ?? ''}/${metadata.name}`;
}
