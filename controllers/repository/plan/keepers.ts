import type { Resource } from '../../../api/object.ts';
import { qualifiedName } from '../../../runtime/store/keys.ts';
import type { World, WorldChange } from '../../../runtime/store/world.ts';
import { keyOf } from '../facts.ts';

/**
 * Which Repositories keep an object: the other way round of what the records say, so that a change of
 * one of many objects is not searched for among all of them.
 */
export class Keepers {
  readonly #world: World;
  /** By key of the object, the uids of Repositories. */
  readonly #uids = new Map<string, Set<string>>();

  constructor(world: World) {
    this.#world = world;
  }

  note(change: WorldChange & { readonly kind: 'record' }): void {
    if (change.record !== 'repositoryObject') return;
    if (!change.deleted) return this.#add(change.id);
    const { uid, key } = partsOf(change.id);
    const known = this.#uids.get(key);
    if (known?.delete(uid) === true && known.size === 0) this.#uids.delete(key);
  }

  #add(id: string): void {
    const { uid, key } = partsOf(id);
    const known = this.#uids.get(key);
    if (known === undefined) this.#uids.set(key, new Set([uid]));
    else known.add(uid);
  }

  /** As of now, for one question. */
  static of(world: World): Keepers {
    const keepers = new Keepers(world);
    for (const [id] of world.records('repositoryObject')) keepers.#add(id);
    return keepers;
  }

  /** `namespace/name` of those that keep an object. */
  of(object: Pick<Resource, 'kind' | 'metadata'>): readonly string[] {
    return this.ofKey(keyOf(object));
  }

  ofKey(key: string): readonly string[] {
    return this.namesOf([...(this.#uids.get(key) ?? [])]);
  }

  /** Of one that is gone its record still knows the name. */
  namesOf(uids: readonly string[]): readonly string[] {
    if (uids.length === 0) return [];
    const wanted = new Set(uids);
    const living = this.#world
      .list('Repository')
      .filter(({ metadata }) => wanted.has(metadata.uid))
      .map(({ metadata }) => qualifiedName(metadata));
    const noted = uids.flatMap((uid) => this.#world.record('repository', uid)?.value.name ?? []);
    return [...new Set([...living, ...noted])].toSorted();
  }
}

/** Of a `repositoryObject` record: the Repository's uid, and the key of the object. */
function partsOf(id: string): { readonly uid: string; readonly key: string } {
  const cut = id.indexOf('/');
  return { uid: id.slice(0, cut), key: id.slice(cut + 1) };
}
