import { type KindName, kindsByName } from '../../api/kinds.ts';
import type { RecordKind } from './records.ts';

/** Everything that dom mirrors in memory lies under this prefix. */
export const WORLD_PREFIX = '/b8s/';
/** Immutable records of every change of a spec; outside the world, for it only grows. */
export const HISTORY_PREFIX = '/b8s-history/';
const SYSTEM = `${WORLD_PREFIX}system/`;

/** The leader's lease and the term that fences every write. */
export const LEADER_KEY = '/b8s-leader';
export const EPOCH_KEY = '/b8s-epoch';

export interface ObjectName {
  readonly kind: KindName;
  /** Absent for cluster-scoped kinds. */
  readonly namespace?: string | undefined;
  readonly name: string;
}

/** `/b8s/sites/default/blog`, `/b8s/nodes/london`. */
export function objectKey(object: ObjectName): string {
  return `${kindPrefix(object.kind)}${qualifiedName(object)}`;
}

export function kindPrefix(kind: KindName): string {
  return `${WORLD_PREFIX}${kindsByName[kind].plural}/`;
}

/** `default/blog`; for cluster-scoped kinds `london`. */
export function qualifiedName(object: {
  readonly namespace?: string | undefined;
  readonly name: string;
}): string {
  return object.namespace === undefined ? object.name : `${object.namespace}/${object.name}`;
}

/** The other way round, for namespaced kinds. */
export function splitName(qualified: string): {
  readonly namespace: string;
  readonly name: string;
} {
  const cut = qualified.indexOf('/');
  return { namespace: qualified.slice(0, cut), name: qualified.slice(cut + 1) };
}

export function recordKey(kind: RecordKind, id: string): string {
  return `${SYSTEM}${kind}/${id}`;
}

/** Where the history of one name is, also of the earlier objects that bore it. */
export function historyPrefix(object: ObjectName): string {
  return `${historyKindPrefix(object.kind)}${qualifiedName(object)}/`;
}

export function historyKindPrefix(kind: KindName): string {
  return `${HISTORY_PREFIX}${kindsByName[kind].plural}/`;
}

export type ParsedKey =
  | { readonly kind: 'object'; readonly plural: string; readonly name: string }
  | { readonly kind: 'record'; readonly record: RecordKind; readonly id: string };

/** Undefined for keys that are neither: another version's, to be left alone. */
export function parseKey(key: string): ParsedKey | undefined {
  if (!key.startsWith(WORLD_PREFIX)) return undefined;
  const rest = key.slice(WORLD_PREFIX.length);
  const cut = rest.indexOf('/');
  if (cut < 0) return undefined;
  const [room, tail] = [rest.slice(0, cut), rest.slice(cut + 1)];
  if (room !== 'system') return { kind: 'object', plural: room, name: tail };
  const next = tail.indexOf('/');
  if (next < 0) return undefined;
  return { kind: 'record', record: tail.slice(0, next) as RecordKind, id: tail.slice(next + 1) };
}
