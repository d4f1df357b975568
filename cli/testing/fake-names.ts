import { kindOf } from '../../api/kinds.ts';
import { matchesLabels, parseLabelSelector } from '../../api/labels.ts';
import type { Resource } from '../../api/object.ts';
import {
  ApiError,
  type DeclaredObject,
  type ObjectReference,
  type WatchOptions,
} from '../../runtime/api-client.ts';

export function keyOf({ kind, namespace, name }: ObjectReference): string {
  return `${kind}/${namespace}/${name}`;
}

export function referenceTo({
  kind,
  metadata,
}: Pick<DeclaredObject, 'kind' | 'metadata'>): ObjectReference {
  const isNamespaced = kindOf(kind)?.scope === 'namespace';
  const namespace = isNamespaced ? (metadata.namespace ?? 'default') : '';
  return { kind, namespace, name: metadata.name };
}

export function isMatch(
  object: Resource,
  { kind, namespace, name, labelSelector = '' }: Omit<WatchOptions, 'afterRevision'>,
): boolean {
  const reference = referenceTo(object);
  if (kind !== object.kind || (namespace !== '' && namespace !== reference.namespace)) return false;
  if (name !== undefined && name !== reference.name) return false;
  const selector = parseLabelSelector(labelSelector);
  if (selector.kind === 'error') throw new ApiError('Invalid', selector.message);
  return matchesLabels(selector.requirements, object.metadata.labels);
}

/** `version`: the one that the caller has read; "0": none was there. */
export function refuseOther(object: Resource | undefined, version: string | undefined): void {
  if (version === undefined || version === (object?.metadata.resourceVersion ?? '0')) return;
  throw new ApiError('Aborted', 'the object has been changed meanwhile');
}
