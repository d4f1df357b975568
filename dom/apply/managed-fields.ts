import type { ManagedFields } from '../../api/object.ts';

/** Who owns a set of fields: one manager, by one way of writing. */
export type Owner = Pick<ManagedFields, 'manager' | 'operation'>;

export function isOwner(entry: ManagedFields, owner: Owner): boolean {
  return entry.manager === owner.manager && entry.operation === owner.operation;
}

/** The entry with only the fields that pass. */
export function keepFields(
  entry: ManagedFields,
  keeps: (pointer: string) => boolean,
): ManagedFields {
  const fields = entry.fields.filter(keeps);
  return fields.length === entry.fields.length ? entry : { ...entry, fields };
}

/** The entries in the order that objects carry them, without those that own nothing. */
export function tidyEntries(entries: readonly ManagedFields[]): readonly ManagedFields[] {
  return entries
    .filter((entry) => entry.fields.length > 0)
    .map((entry) => ({ ...entry, fields: entry.fields.toSorted() }))
    .toSorted((a, b) => compare(a.manager, b.manager) || compare(a.operation, b.operation));
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
