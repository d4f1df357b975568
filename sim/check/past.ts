import { kindPrefix, objectKey } from '../../runtime/keys.ts';
import { NAMESPACE, ORIGIN, ZONE_NAME } from '../load/wish.ts';
import type { Commit, NodePosition } from './check.ts';

const ZONE_KEY = objectKey({ kind: 'Zone', namespace: NAMESPACE, name: ZONE_NAME });

/**
 * Remembers when names went away and how far each node has come, so that a check can tell a node
 * that is behind from one that is wrong. Feed it `committed`, `moved` and `installed`.
 */
export class Past {
  /** By key of the object: the revision of its last deletion. */
  readonly #deleted = new Map<string, bigint>();
  /** By node: the revision of the plan that it serves. */
  readonly #applied = new Map<string, bigint>();

  committed({ revision, transaction }: Commit): void {
    for (const { kind, key } of transaction.writes)
      if (kind === 'delete') this.#deleted.set(key, revision);
  }

  moved({ node, which, position }: NodePosition): void {
    if (which === 'applied') this.#applied.set(node, position.revision);
  }

  installed(node: string): void {
    this.#applied.delete(node);
  }

  /** The node serves a plan that was made after the site, if it ever was, was last deleted. */
  knowsSite(node: string, site: string): boolean {
    return this.#knows(node, objectKey({ kind: 'Site', namespace: NAMESPACE, name: site }));
  }

  /** …after the zone was last deleted. */
  knowsZone(node: string): boolean {
    return this.#knows(node, ZONE_KEY);
  }

  /** …after that other node was last removed. */
  knowsNode(node: string, other: string): boolean {
    return this.#knows(node, `${kindPrefix('Node')}${other}`);
  }

  /** At this revision the site does not exist, or is marked for deletion, as far as is known. */
  deletedAt(site: string): bigint {
    const key = objectKey({ kind: 'Site', namespace: NAMESPACE, name: site });
    return this.#deleted.get(key) ?? 0n;
  }

  #knows(node: string, key: string): boolean {
    const applied = this.#applied.get(node);
    return applied !== undefined && applied >= (this.#deleted.get(key) ?? 0n);
  }
}

/** `blog.example.test` → `blog`. */
export function siteOf(host: string): string {
  return host.endsWith(`.${ORIGIN}`) ? host.slice(0, -ORIGIN.length - 1) : host;
}
