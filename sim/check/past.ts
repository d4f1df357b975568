import type { Node } from '../../api/node.ts';
import type { Site } from '../../api/site.ts';
import { kindPrefix, objectKey, recordKey } from '../../runtime/store/keys.ts';
import type { GeoNameRecord, ZoneRecord } from '../../runtime/store/records.ts';
import type { Write } from '../../runtime/store/store.ts';
import { hostOf, NAMESPACE, ORIGIN, ZONE_NAME } from '../load/wish.ts';
import type { Commit, NodePosition } from './check.ts';

const SITES_PREFIX = `${kindPrefix('Site')}${NAMESPACE}/`;
const ZONE_RECORD_KEY = recordKey('zone', `${NAMESPACE}/${ZONE_NAME}`);
const NODES_PREFIX = kindPrefix('Node');
const ZONE_KEY = objectKey({ kind: 'Zone', namespace: NAMESPACE, name: ZONE_NAME });

interface Meant {
  readonly revision: bigint;
  /** The Nodes that are candidates, by name. */
  readonly nodeUids: Readonly<Record<string, string>>;
  /** Hosts whose candidates only stand in while a CA looks. */
  readonly standIns: readonly string[];
}

/**
 * Remembers when names went away and how far each node has come, so that a check can tell a node
 * that is behind from one that is wrong. Feed it `committed`, `moved` and `installed`.
 */
export class Past {
  /** By key of the object: the revision of its last deletion. */
  readonly #deleted = new Map<string, bigint>();
  /** By node: the revision of the plan that it serves. */
  readonly #applied = new Map<string, bigint>();
  /** By site: the Site of that name that is there, or was there last. */
  readonly #uids = new Map<string, string>();
  /** Sites that were deleted, by uid. */
  readonly #gone = new Set<string>();
  /** By site that was deleted: the first zone without any that is gone; undefined: none yet. */
  readonly #forgotten = new Map<string, bigint | undefined>();
  #zone: { readonly revision: bigint; readonly names: readonly GeoNameRecord[] } | undefined;
  /** By name: the uid of the Node that is there, or was there last. */
  readonly #nodes = new Map<string, string>();
  /** By revision, in order: what each version of the zone means. */
  readonly #meant: Meant[] = [];

  committed({ revision, transaction }: Commit): void {
    for (const write of transaction.writes) {
      const { kind, key } = write;
      if (isGoing(write)) this.#deleted.set(key, revision);
      if (key.startsWith(SITES_PREFIX)) this.#siteWritten(key.slice(SITES_PREFIX.length), write);
      if (kind === 'put' && key.startsWith(NODES_PREFIX))
        this.#nodes.set(
          key.slice(NODES_PREFIX.length),
          (JSON.parse(write.value) as Node).metadata.uid,
        );
      if (kind === 'put' && key === ZONE_RECORD_KEY) {
        const { geoNames, nodeUids = {} } = JSON.parse(write.value) as ZoneRecord;
        this.#zone = { revision, names: geoNames };
        const standIns = geoNames.filter(({ standIn }) => standIn !== undefined);
        this.#meant.push({ revision, nodeUids, standIns: standIns.map(({ name }) => name) });
        this.#forget();
      }
    }
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

  /**
   * The nameserver serves a zone that no longer holds what it held of the site before that was last
   * deleted: dom writes it some time later.
   */
  namesSite(node: string, site: string): boolean {
    const applied = this.#applied.get(node);
    if (applied === undefined || !this.#forgotten.has(site)) return applied !== undefined;
    const revision = this.#forgotten.get(site);
    return revision !== undefined && applied >= revision;
  }

  /** …after the zone was last deleted, and what dom had made of it, which may go much later. */
  knowsZone(node: string): boolean {
    return this.#knows(node, ZONE_KEY) && this.#knows(node, ZONE_RECORD_KEY);
  }

  /** …after that other node was last removed. */
  knowsNode(node: string, other: string): boolean {
    return this.#knows(node, `${NODES_PREFIX}${other}`);
  }

  /**
   * The nameserver serves a zone that means this very node, not one that was removed and had its
   * name: dom writes it anew some time later. (That it does is looked at in `routed.ts`.)
   */
  meansNode(nameserver: string, node: string): boolean {
    const uids = this.#meantBy(nameserver)?.nodeUids;
    return uids !== undefined && uids[node] === this.#nodes.get(node);
  }

  /** The nameserver names for the site who stands in for a CA to see, not who serves it. */
  standsIn(nameserver: string, site: string): boolean {
    return this.#meantBy(nameserver)?.standIns.includes(hostOf(site)) ?? false;
  }

  /** At this revision the site does not exist, or is marked for deletion, as far as is known. */
  deletedAt(site: string): bigint {
    const key = objectKey({ kind: 'Site', namespace: NAMESPACE, name: site });
    return this.#deleted.get(key) ?? 0n;
  }

  #meantBy(nameserver: string): Meant | undefined {
    const applied = this.#applied.get(nameserver);
    if (applied === undefined) return undefined;
    return this.#meant.findLast(({ revision }) => revision <= applied);
  }

  #siteWritten(site: string, write: Write): void {
    if (write.kind === 'put') this.#uids.set(site, (JSON.parse(write.value) as Site).metadata.uid);
    if (!isGoing(write)) return;
    this.#gone.add(this.#uids.get(site) ?? '');
    this.#forgotten.set(site, undefined);
    this.#forget();
  }

  /** A zone that was made before a site was deleted may be written after it, and name it again. */
  #forget(): void {
    if (this.#zone === undefined) return;
    const { names, revision } = this.#zone;
    for (const [site, before] of this.#forgotten) {
      const said = names.find(({ name }) => name === hostOf(site));
      const isGone = said !== undefined && this.#gone.has(said.siteUid);
      this.#forgotten.set(site, isGone ? undefined : (before ?? revision));
    }
  }

  #knows(node: string, key: string): boolean {
    const applied = this.#applied.get(node);
    return applied !== undefined && applied >= (this.#deleted.get(key) ?? 0n);
  }
}

/** The object is deleted, or marked for it: whoever learns of it lets go of it. */
export function isGoing(write: Write): boolean {
  return write.kind === 'delete' || write.value.includes('"deletionTimestamp":');
}

/** `blog.example.test` → `blog`. */
export function siteOf(host: string): string {
  return host.endsWith(`.${ORIGIN}`) ? host.slice(0, -ORIGIN.length - 1) : host;
}
