import type { Resource } from '../../api/object.ts';
import type { Site } from '../../api/site.ts';
import type { Store } from '../../runtime/store/store.ts';
import { type Operation, owning } from '../../runtime/store/writer.ts';
import { readObject } from './names.ts';

/**
 * A release that a Site names from now on is the Site's own from this very write on: it may be about
 * to go with another one that named it, and whoever clears it away rests on nobody owning it. One
 * that is not there stays away: the Site says so.
 */
export async function ownRelease(
  store: Store,
  live: Resource | undefined,
  { object, uid }: { readonly object: Resource; readonly uid: string },
): Promise<readonly Operation[]> {
  const name = releaseOf(object);
  if (name === undefined || name === releaseOf(live)) return [];
  const { namespace } = object.metadata;
  const base = await readObject(store, { kind: 'Release', namespace, name });
  if (base === undefined || base.metadata.deletionTimestamp !== undefined) return [];
  return [owning(base, { kind: 'Site', name: object.metadata.name, uid })];
}

function releaseOf(object: Resource | undefined): string | undefined {
  return object?.kind === 'Site' ? (object as Site).spec.content?.release : undefined;
}
