import type { KindMap, KindName } from '../../api/kinds.ts';
import type { ObjectName } from './keys.ts';
import type { RecordKind, Records, Stored } from './records.ts';
import type { Revision } from './store.ts';

/**
 * All objects and records as of one revision, read without waiting.
 *
 * Guarantees: everything read between two awaits is of one revision.
 * Caveats: it may lag behind the store; conditional writes find that out (INV-16).
 */
export interface World {
  readonly revision: Revision;
  get<K extends KindName>(kind: K, name: Omit<ObjectName, 'kind'>): KindMap[K] | undefined;
  /** Sorted by namespace and name. */
  list<K extends KindName>(kind: K): readonly KindMap[K][];
  record<R extends RecordKind>(record: R, id: string): Stored<Records[R]> | undefined;
  /** Sorted by id. */
  records<R extends RecordKind>(
    record: R,
  ): readonly (readonly [id: string, stored: Stored<Records[R]>])[];
}

/** That something of this name was written or deleted; what, is for the reader to see. */
export type WorldChange =
  | {
      readonly kind: 'object';
      readonly object: KindMap[KindName];
      readonly before: KindMap[KindName] | undefined;
      readonly deleted: boolean;
    }
  | {
      readonly kind: 'record';
      readonly record: RecordKind;
      readonly id: string;
      readonly deleted: boolean;
    };

/** Whether a changed object is of that kind, for the type checker as well. */
export function isKind<K extends KindName>(
  object: KindMap[KindName],
  kind: K,
): object is KindMap[K] {
  return object.kind === kind;
}

/** Whether a change says more than a new status does; most changes of Nodes and Sites do not. */
export function isBeyondStatus(change: WorldChange & { readonly kind: 'object' }): boolean {
  const { object, before, deleted } = change;
  if (deleted || before === undefined) return true;
  return (
    before.metadata.uid !== object.metadata.uid ||
    before.metadata.generation !== object.metadata.generation ||
    before.metadata.deletionTimestamp !== object.metadata.deletionTimestamp
  );
}
