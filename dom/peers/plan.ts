export interface PeerLimits {
  /** Nodes that dom sends large lists to at once. */
  readonly uploadsMax: number;
  /** What dom sends in any case, of all that it sends at once: less is not worth a detour. */
  readonly freeBytes: number;
  /** Nodes that one edge is named to as the first to try. */
  readonly fanout: number;
  /** Edges that are named to one node. */
  readonly peersMax: number;
}

export const PEER_LIMITS: PeerLimits = {
  uploadsMax: 3,
  freeBytes: 16 * 1024 * 1024,
  fanout: 2,
  peersMax: 3,
};

/** An edge that may be named. */
export interface Candidate {
  readonly node: string;
  /** How many edges what it has came through: 0 has it all, or has it from dom. */
  readonly depth: number;
  /** Nodes that it was named to as the first to try, and that are still at it. */
  readonly load: number;
}

export interface PeersScene {
  readonly missingBytes: number;
  /** To others, by now. */
  readonly sending: { readonly nodes: number; readonly bytes: number };
  readonly candidates: readonly Candidate[];
}

/**
 * Pure: whom a node is to fetch from, in order; none: from dom. Dom sends to a few, and those send
 * on while they fetch: a tree, as flat as the fan-out allows, for each edge in between takes time.
 */
export function planPeers(scene: PeersScene, limits: PeerLimits): readonly Candidate[] {
  const { missingBytes, sending, candidates } = scene;
  if (sending.nodes < limits.uploadsMax) return [];
  if (sending.bytes + missingBytes <= limits.freeBytes) return [];
  const order = (one: Candidate, other: Candidate): number =>
    fullness(one, limits) - fullness(other, limits) ||
    one.depth - other.depth ||
    one.load - other.load ||
    (one.node < other.node ? -1 : 1);
  return candidates.toSorted(order).slice(0, limits.peersMax);
}

/** Below its fan-out all are alike. */
function fullness({ load }: Candidate, { fanout }: PeerLimits): number {
  return Math.floor(load / fanout);
}
