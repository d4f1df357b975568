import { isKindName } from '../../api/kinds.ts';
import type { Resource } from '../../api/object.ts';
import type { Store } from '../../runtime/store/store.ts';
import { readObject, requestedKind } from './names.ts';

/**
 * The same object without the owners that are gone, or marked for it, for one that a person
 * declares again: it is wanted for its own sake from now on, and must not be removed for the sake of what it belonged to.
 */
export async function withoutGoneOwners(store: Store, object: Resource): Promise<Resource> {
  const { ownerReferences = [], ...metadata } = object.metadata;
  const found = await Promise.all(
    ownerReferences.map(async ({ kind, name }) => {
      if (!isKindName(kind)) return undefined;
      const isCluster = requestedKind(kind).kind.scope === 'cluster';
      const namespace = isCluster ? undefined : metadata.namespace;
      const owner = (await readObject(store, { kind, namespace, name }))?.metadata;
      return owner?.deletionTimestamp === undefined ? owner?.uid : undefined;
    }),
  );
  const living = ownerReferences.filter(
    ({ kind, uid }, index) => !isKindName(kind) || found[index] === uid,
  );
  if (living.length === ownerReferences.length) return object;
  return {
    ...object,
    metadata: { ...metadata, ...(living.length > 0 && { ownerReferences: living }) },
  };
}
