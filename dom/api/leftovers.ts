import type { Resource } from '../../api/object.ts';
import type { Release } from '../../api/release.ts';
import { objectKey } from '../../runtime/store/keys.ts';
import { decodeObject, listAll } from '../../runtime/store/mirror.ts';
import type { Store } from '../../runtime/store/store.ts';
import { type Operation, ownedBy, owning } from '../../runtime/store/writer.ts';

/**
 * Taken along in one write, which is one transaction. There are this many only when pushes follow
 * one another faster than the content controller takes them over.
 */
const LEFTOVERS_MAX = 24;

/**
 * What was pushed for a Site that is about to go, and that it has not taken over yet, becomes its
 * own in the same write: so it goes with the Site, and nothing is left that nobody owns (INV-7). A
 * push that comes later is for the next Site of that name.
 */
export async function takeLeftovers(store: Store, site: Resource): Promise<readonly Operation[]> {
  if (site.kind !== 'Site') return [];
  const { namespace } = site.metadata;
  const prefix = objectKey({ kind: 'Release', namespace, name: '' });
  const { items } = await listAll(store, prefix);
  const leftovers = items
    .map((item) => decodeObject(item) as Release)
    .filter(({ spec }) => spec.site === site.metadata.name)
    .filter(({ metadata }) => (metadata.ownerReferences ?? []).length === 0)
    .slice(0, LEFTOVERS_MAX);
  return leftovers.map((base) => owning(base, ownedBy(site)));
}
