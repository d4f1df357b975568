import type { Kind, Violation } from '../../api/kind.ts';
import { isKindName, type KindName, kindOf } from '../../api/kinds.ts';
import { DEFAULT_NAMESPACE, type Resource } from '../../api/object.ts';
import type { ObjectReference } from '../../proto/gen/b8s/v1/api.ts';
import { RequestError } from '../../runtime/request-error.ts';
import { type ObjectName, objectKey } from '../../runtime/store/keys.ts';
import { decodeObject } from '../../runtime/store/mirror.ts';
import type { Store } from '../../runtime/store/store.ts';

/** The kind that a request means. Throws INVALID_ARGUMENT when there is none. */
export function requestedKind(name: string): { readonly kind: Kind; readonly name: KindName } {
  const kind = kindOf(name);
  if (kind === undefined || !isKindName(kind.kind))
    throw new RequestError('INVALID_ARGUMENT', `the server has no resource type "${name}"`);
  return { kind, name: kind.kind };
}

/** The whole name that a reference means: its namespace is filled in, or left out. */
export function requestedName(reference: ObjectReference | undefined): ObjectName {
  const { kind, name } = requestedKind(reference?.kind ?? '');
  const asked = reference?.namespace === '' ? DEFAULT_NAMESPACE : reference?.namespace;
  return {
    kind: name,
    namespace: kind.scope === 'cluster' ? undefined : asked,
    name: reference?.name ?? '',
  };
}

/** The object as the store has it now. */
export async function readObject(store: Store, name: ObjectName): Promise<Resource | undefined> {
  const item = await store.get(objectKey(name));
  return item === undefined ? undefined : decodeObject(item);
}

export function notFound(name: ObjectName): RequestError {
  const { plural } = requestedKind(name.kind).kind;
  return new RequestError('NOT_FOUND', `${plural} "${name.name}" not found`);
}

/** The refusal of an object that is not as it should be; its message tells the first violation. */
export function invalid(violations: readonly Violation[]): RequestError {
  const [first] = violations;
  const more = violations.length > 1 ? ` (and ${violations.length - 1} more)` : '';
  const path = first === undefined || first.path === '' ? '' : `${first.path} `;
  const message = `${path}${first?.message ?? 'the object is invalid'}${more}`;
  return new RequestError('INVALID_ARGUMENT', message, { violations });
}
