import type { Node } from '../../api/node.ts';
import type { Resource } from '../../api/object.ts';
import type { ObjectReference } from '../../runtime/api-client.ts';

/** What has been read of the cluster so far. */
export interface World {
  /** Every Node, by name. */
  readonly nodes: ReadonlyMap<string, Node>;
  /** By `keyOf`; undefined: there is no such object. A key that is missing has not been read. */
  readonly objects: ReadonlyMap<string, Resource | undefined>;
}

/** Tells objects apart in a `World`. */
export function keyOf({ kind, namespace, name }: ObjectReference): string {
  return `${kind}/${namespace}/${name}`;
}
