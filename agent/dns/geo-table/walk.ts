import type { Mmdb } from './mmdb.ts';

/** Told of each leaf, in the order of addresses: `address` is its first one, and is used again. */
export type OnLeaf = (address: Uint32Array, pointer: number) => void;

/** A damaged tree may lead to more than there is time for. DB-IP has 8 million for IPv6. */
export const LEAVES_MAX = 100_000_000;

export interface Subtree {
  /** A node, a pointer, or the count of nodes: nothing. */
  readonly root: number;
  /** That an address has below the root: 32 or 128. */
  readonly bits: 32 | 128;
}

/**
 * Every leaf below a root. Where a branch leads to `stop`, as the networks do that repeat IPv4
 * within IPv6, it is a leaf, too, and `onStop` says with which pointer it is told. Throws when the
 * tree is deeper than addresses are long.
 */
export function walkLeaves(
  { branch, nodeCount }: Mmdb,
  { root, bits }: Subtree,
  {
    onLeaf,
    stop = -1,
    onStop = () => nodeCount,
  }: {
    readonly onLeaf: OnLeaf;
    readonly stop?: number;
    readonly onStop?: (depth: number) => number;
  },
): void {
  const address = new Uint32Array(bits / 32);
  let leaves = 0;

  function visit(target: number, depth: number): void {
    if (target >= nodeCount || target === stop) {
      leaves += 1;
      if (leaves > LEAVES_MAX) throw new RangeError('its tree has no end');
      onLeaf(address, target === stop ? onStop(depth) : target);
      return;
    }
    if (depth === bits) throw new RangeError('its tree is deeper than addresses are long');
    visit(branch(target, 0), depth + 1);
    const word = depth >>> 5;
    const mask = 1 << (31 - (depth & 31));
    address[word] = (address[word] ?? 0) | mask;
    visit(branch(target, 1), depth + 1);
    address[word] = (address[word] ?? 0) & ~mask;
  }

  visit(root, 0);
}

/** Where IPv4 begins within a tree of IPv6: behind 96 zeros. */
export function ipv4Root({ ipVersion, branch, nodeCount }: Mmdb): number {
  let target = 0;
  for (let depth = 0; ipVersion === 6 && depth < 96 && target < nodeCount; depth += 1) {
    target = branch(target, 0);
  }
  return target;
}
