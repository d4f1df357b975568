import type { ManagedFields, Resource } from '../../api/object.ts';
import {
  type Declaration,
  declarationOf,
  isBelow,
  type Leaves,
  leavesOf,
  sameValue,
} from '../../runtime/fields.ts';
import { isOwner, keepFields, tidyEntries } from './managed-fields.ts';

export interface UpdateInput {
  /** The object as it is; left out: it is being created. */
  readonly live?: Resource;
  /** What the object is to declare from now on, as a whole. */
  readonly updated: Declaration;
  readonly manager: string;
  /** RFC 3339. */
  readonly time: string;
}

export interface Updated extends Declaration {
  readonly managedFields: readonly ManagedFields[];
  /** False: the object need not be written. */
  readonly changed: boolean;
}

/**
 * Who owns what after a whole replace (`edit`, `label`, a controller): what changed belongs to
 * the manager that changed it, and to nobody else; what is gone belongs to nobody.
 */
export function mergeUpdated({ live, updated, manager, time }: UpdateInput): Updated {
  const before = leavesOf(declarationOf(live));
  const after = leavesOf(updated);
  const entries = live?.metadata.managedFields ?? [];
  const written = [...after.keys()].filter(
    (pointer) => !before.has(pointer) || !sameValue(before.get(pointer), after.get(pointer)),
  );
  const isRemoved = [...before.keys()].some((pointer) => !after.has(pointer));
  const changed = live === undefined || written.length > 0 || isRemoved;
  if (!changed) return { ...updated, managedFields: entries, changed };
  const me = { manager, operation: 'update' } as const;
  const kept = entries.map((entry) =>
    keepFields(entry, (pointer) => !written.includes(pointer) && isThere(pointer, after)),
  );
  const own = kept.find((entry) => isOwner(entry, me));
  const others = kept.filter((entry) => entry !== own);
  const mine: ManagedFields = { ...me, time, fields: [...(own?.fields ?? []), ...written] };
  // With nothing written (only removals) its fields are as old as they were.
  const entry = written.length === 0 && own !== undefined ? own : mine;
  return { ...updated, managedFields: tidyEntries([...others, entry]), changed };
}

/** Whether a field is still there: as a leaf, or as a group that was empty and is no longer. */
function isThere(pointer: string, leaves: Leaves): boolean {
  return leaves.has(pointer) || [...leaves.keys()].some((leaf) => isBelow(leaf, pointer));
}
