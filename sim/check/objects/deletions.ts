import { isKindName, kindsByName } from '../../../api/kinds.ts';
import type { OwnerReference, Resource } from '../../../api/object.ts';
import type { Site } from '../../../api/site.ts';
import { releasesWanted } from '../../../runtime/content/site-releases.ts';
import { historyPrefix, kindPrefix, objectKey, recordKey } from '../../../runtime/store/keys.ts';
import { decodeObject } from '../../../runtime/store/mirror.ts';
import type { Revision } from '../../../runtime/store/store.ts';
import { type HistoryEntry, nameOf } from '../../../runtime/store/writer.ts';
import type { Check, CheckPorts, Commit } from '../check.ts';
import type { StoreHistory } from '../store-history.ts';
import type { ObjectChanges } from './object-changes.ts';

/** Their keys go with the lease of whoever wrote them, so that nobody need delete them. */
const LEASED_PREFIX = recordKey('session', '');

/**
 * INV-16: nothing is destroyed on the strength of a cached read alone.
 *
 * Each deletion in a commit, of an object or of a record, is bound to the very revision that it
 * destroys. What goes because its owners are gone had owners, and none of them is in the store at
 * that moment, by uid. A Release that goes without a person's word is named by no Site.
 */
export function deletionsCheck(
  { violated, reached }: Pick<CheckPorts, 'violated' | 'reached'>,
  { changes, history }: { readonly changes: ObjectChanges; readonly history: StoreHistory },
): Check {
  return {
    committed(commit) {
      const { revision, before, transaction } = commit;
      for (const { kind, key } of transaction.writes) {
        if (kind !== 'delete' || key.startsWith(LEASED_PREFIX)) continue;
        const guard = transaction.guards.find((each) => each.key === key);
        if (guard === undefined || guard.modRevision !== (before.get(key)?.modRevision ?? 0n))
          violated(16, `commit ${revision} deletes ${key}, whatever is there by then`);
      }
      for (const { key, before: gone, after } of changes.of(commit)) {
        if (gone === undefined || after !== undefined) continue;
        const manager = managerOf(commit, gone);
        const why = manager === 'garbage-controller' ? faultOfGarbage(gone, revision) : undefined;
        const fault = why ?? (manager === 'b8sctl' ? undefined : faultOfRelease(gone, revision));
        if (fault !== undefined) violated(16, `commit ${revision} deletes ${key}, ${fault}`);
        if (manager !== 'garbage-controller') continue;
        reached('garbage collected');
        if (namesakeLives(gone, revision)) reached('belongings of a namesake collected');
      }
    },
  };

  function faultOfGarbage({ metadata }: Resource, revision: Revision): string | undefined {
    const owners = metadata.ownerReferences ?? [];
    if (owners.length === 0) return 'which nobody owned';
    const living = owners.find((owner) => lives(owner, metadata.namespace, revision));
    return living === undefined ? undefined : `whose owner ${living.kind} ${living.name} is there`;
  }

  /** Of a kind that nobody knows here: for all that is known. */
  function lives(owner: OwnerReference, namespace: string | undefined, at: Revision): boolean {
    if (!isKindName(owner.kind)) return true;
    return uidAt(owner, namespace, at) === owner.uid;
  }

  function namesakeLives({ metadata }: Resource, at: Revision): boolean {
    const { namespace, ownerReferences = [] } = metadata;
    return ownerReferences.some((owner) => uidAt(owner, namespace, at) !== undefined);
  }

  /** Of what bore that name before the revision `at`. */
  function uidAt(
    { kind, name }: OwnerReference,
    namespace: string | undefined,
    at: Revision,
  ): string | undefined {
    if (!isKindName(kind)) return undefined;
    const isCluster = kindsByName[kind].scope === 'cluster';
    const key = objectKey({ kind, name, namespace: isCluster ? undefined : namespace });
    const item = history.get(key, at - 1n);
    return item === undefined ? undefined : decodeObject(item).metadata.uid;
  }

  function faultOfRelease({ kind, metadata }: Resource, revision: Revision): string | undefined {
    if (kind !== 'Release') return undefined;
    const { name, namespace } = metadata;
    const sites = history.list(`${kindPrefix('Site')}${namespace}/`, revision - 1n);
    const user = sites
      .map((item) => JSON.parse(item.value) as Site)
      .find((site) => releasesWanted(site).includes(name));
    return user === undefined ? undefined : `which the Site ${user.metadata.name} names`;
  }
}

/** Who deletes it, as history says; undefined: nobody says. */
function managerOf({ transaction }: Commit, gone: Resource): string | undefined {
  const prefix = historyPrefix(nameOf(gone));
  const record = transaction.writes.find(({ key }) => key.startsWith(prefix));
  return record?.kind === 'put'
    ? (JSON.parse(record.value) as HistoryEntry).author.manager
    : undefined;
}
