import type { ManagedFields, Resource } from '../../api/object.ts';
import { formatPath, parsePointer } from '../../api/path.ts';
import {
  type Declaration,
  declarationFrom,
  declarationOf,
  groupsAround,
  isBelow,
  isEmptyGroup,
  type Leaves,
  leavesOf,
  sameValue,
} from '../../runtime/fields.ts';
import { isOwner, keepFields, tidyEntries } from './managed-fields.ts';

export interface ApplyInput {
  /** The object as it is; left out: there is none yet. */
  readonly live?: Resource;
  /** What the manifest says, without defaults. */
  readonly applied: Declaration;
  readonly manager: string;
  /** Take clashing fields over from their managers. */
  readonly force: boolean;
  /** RFC 3339. */
  readonly time: string;
}

/** A field that another manager set to something else. */
export interface Clash {
  /** `spec.ttl`. */
  readonly path: string;
  readonly manager: string;
}

export interface Merged extends Declaration {
  readonly kind: 'merged';
  readonly managedFields: readonly ManagedFields[];
  /** False: the object need not be written; times are the old ones. */
  readonly changed: boolean;
}

export type ApplyOutcome = Merged | { readonly kind: 'clash'; readonly clashes: readonly Clash[] };

/**
 * Server-side apply, as in Kubernetes: what a manager applies is all that it wants.
 *
 * - A field that it names gets its value, and is its own from now on.
 * - A field that it owned and names no more is removed, unless another manager owns it, too.
 *   The group around it goes with its last owned field, defaults and all.
 * - A field of another manager is shared when the values are equal, and a clash when not.
 * - Fields that nobody owns (defaults) stay as they are.
 *
 * The result has no new defaults: normalize and validate it before it is stored.
 */
export function mergeApplied(input: ApplyInput): ApplyOutcome {
  const { live, manager, time } = input;
  const before = declarationOf(live);
  const liveLeaves = leavesOf(before);
  const applied = leavesOf(input.applied);
  const entries = live?.metadata.managedFields ?? [];
  const clashes = findClashes(applied, liveLeaves, { entries, manager });
  if (clashes.length > 0 && !input.force) {
    return { kind: 'clash', clashes: clashes.map(({ pointer, owner }) => clashOf(pointer, owner)) };
  }
  const me = { manager, operation: 'apply' } as const;
  const own = entries.find((entry) => isOwner(entry, me));
  const others = entries
    .filter((entry) => entry !== own)
    .map((entry) => loseFields(entry, { clashes, applied, manager }));
  const owned = [...others.flatMap((entry) => entry.fields), ...applied.keys()];
  const dropped = (own?.fields ?? []).filter((pointer) => !owned.includes(pointer));
  const after = declarationFrom(merge(removeDropped(liveLeaves, dropped, owned), applied));
  const mine: ManagedFields = { ...me, time, fields: [...applied.keys()].toSorted() };
  const changed =
    live === undefined ||
    !sameValue(after, before) ||
    !sameValue(mine.fields, own?.fields ?? []) ||
    others.some((entry) => !entries.includes(entry));
  const managedFields = changed ? tidyEntries([...others, mine]) : entries;
  return { kind: 'merged', ...after, managedFields, changed };
}

interface FieldClash {
  readonly pointer: string;
  readonly owner: string;
}

function clashOf(pointer: string, manager: string): Clash {
  return { path: formatPath(parsePointer(pointer)), manager };
}

function findClashes(
  applied: Leaves,
  live: Leaves,
  { entries, manager }: { readonly entries: readonly ManagedFields[]; readonly manager: string },
): readonly FieldClash[] {
  const clashes: FieldClash[] = [];
  for (const entry of entries) {
    // What a manager changed by an update does not stop it from applying.
    if (entry.manager === manager) continue;
    for (const pointer of entry.fields) {
      if (contradicts(pointer, applied, live)) clashes.push({ pointer, owner: entry.manager });
    }
  }
  return clashes;
}

/** Whether the applied leaves leave no room for what is owned at `pointer`. */
function contradicts(pointer: string, applied: Leaves, live: Leaves): boolean {
  if (applied.has(pointer)) {
    const wanted = applied.get(pointer);
    // An empty group only asks for a group to be there.
    const isThere = live.has(pointer) ? sameValue(live.get(pointer), wanted) : isEmptyGroup(wanted);
    return !isThere;
  }
  for (const [leaf, wanted] of applied) {
    if (isBelow(pointer, leaf) && !isEmptyGroup(wanted)) return true;
    const isInGroup = !live.has(pointer) || isEmptyGroup(live.get(pointer));
    if (isBelow(leaf, pointer) && !isInGroup) return true;
  }
  return false;
}

/** Another entry after this apply: without what was taken from it. */
function loseFields(
  entry: ManagedFields,
  taken: {
    readonly clashes: readonly FieldClash[];
    readonly applied: Leaves;
    readonly manager: string;
  },
): ManagedFields {
  // A manager's own updates become applied fields once it applies them.
  if (entry.manager === taken.manager) {
    return keepFields(entry, (pointer) => !taken.applied.has(pointer));
  }
  const lost = taken.clashes.map((clash) => clash.pointer);
  return keepFields(entry, (pointer) => !lost.includes(pointer));
}

/** The leaves without the dropped ones, and without the groups that nobody owns a part of now. */
function removeDropped(live: Leaves, dropped: readonly string[], owned: readonly string[]): Leaves {
  const leaves = new Map(live);
  for (const pointer of dropped) {
    leaves.delete(pointer);
    const isOwned = (group: string): boolean =>
      owned.some((each) => each === group || isBelow(each, group));
    for (const group of [pointer, ...groupsAround(pointer)]) {
      if (isOwned(group)) break;
      removeBelow(leaves, group);
    }
  }
  return leaves;
}

function merge(base: Leaves, applied: Leaves): Leaves {
  const leaves = new Map(base);
  for (const [pointer, value] of applied) {
    if (isEmptyGroup(value) && [...leaves.keys()].some((leaf) => isBelow(leaf, pointer))) continue;
    removeBelow(leaves, pointer);
    for (const group of groupsAround(pointer)) leaves.delete(group);
    leaves.set(pointer, value);
  }
  return leaves;
}

function removeBelow(leaves: Map<string, unknown>, pointer: string): void {
  for (const leaf of leaves.keys()) if (isBelow(leaf, pointer)) leaves.delete(leaf);
}
