import type { NodePlan } from '../../../proto/gen/b8s/v1/plan.ts';
import { parseAddress } from './address.ts';
import { type Locate, locateNothing, type Place, placeOf } from './geography.ts';

/** A machine of the directory, as routing needs it. */
export interface DirectoryNode {
  readonly name: string;
  readonly ipv4: readonly Uint8Array[];
  readonly ipv6: readonly Uint8Array[];
  /** Undefined: nobody said where it stands. */
  readonly place: Place | undefined;
  readonly edge: boolean;
  /** Its lease at dom is alive. */
  readonly ready: boolean;
  /** A person keeps it out of new answers. */
  readonly unschedulable: boolean;
}

/** Node name → whether this nameserver's own probes reach it. Absent: not probed, so presumed up. */
export type HealthMap = ReadonlyMap<string, boolean>;

/**
 * Addresses that are malformed are left out: the node's others still serve. A node whose place was
 * not declared stands where `locate` has its first address.
 */
export function compileDirectory(
  nodes: readonly NodePlan[],
  locate: Locate = locateNothing,
): ReadonlyMap<string, DirectoryNode> {
  return new Map(nodes.map((node) => [node.name, directoryNode(node, locate)]));
}

function directoryNode(node: NodePlan, locate: Locate): DirectoryNode {
  const first = node.ipv4[0] ?? node.ipv6[0];
  return {
    name: node.name,
    ipv4: addresses(node.ipv4, 4),
    ipv6: addresses(node.ipv6, 16),
    place: placeOf(node) ?? (first === undefined ? undefined : placeOf(locate(first))),
    edge: node.roles.includes('edge'),
    ready: node.ready,
    unschedulable: node.unschedulable,
  };
}

function addresses(texts: readonly string[], bytes: 4 | 16): readonly Uint8Array[] {
  return texts
    .map(parseAddress)
    .filter((address) => address !== undefined)
    .filter((address) => address.length === bytes);
}
