import type { Resource } from '../../../api/object.ts';
import { parseKey } from '../../../runtime/store/keys.ts';
import { decodeObject } from '../../../runtime/store/mirror.ts';
import type { KeyValue, Revision } from '../../../runtime/store/store.ts';
import type { Commit } from '../check.ts';

/** What one commit makes of one object. */
export interface ObjectChange {
  readonly key: string;
  /** `sites`. */
  readonly plural: string;
  /** `default/blog`; of cluster-scoped kinds `london`. */
  readonly name: string;
  /** Undefined: it is created. */
  readonly before: Resource | undefined;
  /** Undefined: it is deleted. */
  readonly after: Resource | undefined;
}

/** Reads objects out of commits; several checks ask for the same one, which is parsed once. */
export class ObjectChanges {
  #last: { readonly commit: Commit; readonly changes: readonly ObjectChange[] } | undefined;

  /** In the order of the writes; records are left out. */
  of(commit: Commit): readonly ObjectChange[] {
    if (this.#last?.commit !== commit) this.#last = { commit, changes: read(commit) };
    return this.#last.changes;
  }
}

function read({ transaction, before, revision }: Commit): readonly ObjectChange[] {
  return transaction.writes.flatMap((write): readonly ObjectChange[] => {
    const parsed = parseKey(write.key);
    if (parsed?.kind !== 'object') return [];
    const { plural, name } = parsed;
    const after = write.kind === 'put' ? decode({ ...write, revision }) : undefined;
    return [{ key: write.key, plural, name, before: decodeItem(before.get(write.key)), after }];
  });
}

function decodeItem(item: KeyValue | undefined): Resource | undefined {
  return item === undefined ? undefined : decodeObject(item);
}

function decode(put: {
  readonly key: string;
  readonly value: string;
  readonly revision: Revision;
}): Resource {
  const { key, value, revision } = put;
  return decodeObject({ key, value, createRevision: revision, modRevision: revision });
}
