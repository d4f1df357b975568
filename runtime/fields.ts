import { isDeepStrictEqual } from 'node:util';
import type { Resource } from '../api/object.ts';
import { formatPointer, parsePointer } from '../api/path.ts';

/** The parts of an object that people and controllers declare. */
export interface Declaration {
  readonly spec: unknown;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * A declaration taken apart: JSON Pointer → value, for every leaf. A list is one leaf, because
 * its items have no names to own; an empty group (`ca: {}`) is a leaf, because it says something.
 */
export type Leaves = ReadonlyMap<string, unknown>;

/** What an object declares; nothing, if there is none. */
export function declarationOf(object: Resource | undefined): Declaration {
  const { labels = {}, annotations = {} } = object?.metadata ?? {};
  return { spec: object?.spec ?? {}, labels, annotations };
}

export function leavesOf({ spec, labels, annotations }: Declaration): Leaves {
  const leaves = new Map<string, unknown>();
  collect({ spec, metadata: { labels, annotations } }, [], leaves);
  // These three always are: nobody owns them as such.
  for (const root of ROOTS) leaves.delete(root);
  return leaves;
}

/** Puts leaves together again. Groups without a leaf are gone. */
export function declarationFrom(leaves: Leaves): Declaration {
  const root = newGroup();
  for (const [pointer, value] of leaves) {
    const fields = parsePointer(pointer);
    const parent = fields.slice(0, -1).reduce(groupAt, root);
    parent[fields.at(-1) ?? ''] = structuredClone(value);
  }
  const metadata = groupAt(root, 'metadata');
  return {
    spec: groupAt(root, 'spec'),
    labels: groupAt(metadata, 'labels') as Record<string, string>,
    annotations: groupAt(metadata, 'annotations') as Record<string, string>,
  };
}

/** Whether two leaves say the same. */
export function sameValue(one: unknown, other: unknown): boolean {
  return isDeepStrictEqual(one, other);
}

export function isEmptyGroup(value: unknown): boolean {
  return isGroup(value) && Object.keys(value).length === 0;
}

/** Whether `inner` lies below `outer`. */
export function isBelow(inner: string, outer: string): boolean {
  return inner.startsWith(`${outer}/`);
}

/** The groups around a leaf that can come and go, the innermost first. */
export function groupsAround(pointer: string): readonly string[] {
  const groups: string[] = [];
  for (let end = pointer.lastIndexOf('/'); end > 0; end = pointer.lastIndexOf('/', end - 1)) {
    const group = pointer.slice(0, end);
    if (ROOTS.includes(group)) break;
    groups.push(group);
  }
  return groups;
}

const ROOTS: readonly string[] = ['/spec', '/metadata/labels', '/metadata/annotations'];

type Group = Record<string, unknown>;

function collect(value: unknown, fields: readonly string[], leaves: Map<string, unknown>): void {
  if (!isGroup(value) || isEmptyGroup(value)) {
    leaves.set(formatPointer(fields), value);
    return;
  }
  for (const [field, child] of Object.entries(value)) {
    // Absent and undefined are the same in JSON.
    if (child !== undefined) collect(child, [...fields, field], leaves);
  }
}

function isGroup(value: unknown): value is Group {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function groupAt(parent: Group, field: string): Group {
  const there = Object.hasOwn(parent, field) ? parent[field] : undefined;
  if (isGroup(there)) return there;
  const group = newGroup();
  parent[field] = group;
  return group;
}

function newGroup(): Group {
  return {};
}
