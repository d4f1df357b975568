import type { Site } from '../../api/site.ts';
import { kindPrefix, objectKey, recordKey } from '../../runtime/keys.ts';
import type { GeoNameRecord, ZoneRecord } from '../../runtime/records.ts';
import { hostOf, NAMESPACE, ORIGIN, ZONE_NAME } from '../load/wish.ts';
import type { Commit, NodePosition } from './check.ts';

const SITES_PREFIX = `${kindPrefix('Site')}${NAMESPACE}/`;
const ZONE_RECORD_KEY = recordKey('zone', `${NAMESPACE}/${ZONE_NAME}`);
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
  /** By site that was deleted: the revision of the first zone without what DNS said of it then. */
  readonly #forgotten = new Map<string, bigint | undefined>();
  /** By site: whom DNS may name for it, as its status says. */
  readonly #candidates = new Map<string, readonly string[]>();
  #zone: { readonly revision: bigint; readonly names: readonly GeoNameRecord[] } | undefined;

  committed({ revision, transaction }: Commit): void {
    for (const write of transaction.writes) {
      const { kind, key } = write;
      if (kind === 'delete') this.#deleted.set(key, revision);
      if (key.startsWith(SITES_PREFIX)) {
        const site = key.slice(SITES_PREFIX.length);
        if (kind === 'delete') this.#forgotten.set(site, undefined);
        const status = kind === 'put' ? (JSON.parse(write.value) as Site).status : undefined;
        this.#candidates.set(site, status?.dns?.candidates ?? []);
        this.#forget();
      }
      if (kind === 'put' && key === ZONE_RECORD_KEY) {
        const { geoNames } = JSON.parse(write.value) as ZoneRecord;
        this.#zone = { revision, names: geoNames };
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
    if (!this.#forgotten.has(site)) return this.#applied.has(node);
    const revision = this.#forgotten.get(site);
    const applied = this.#applied.get(node);
    return applied !== undefined && revision !== undefined && applied >= revision;
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

  /** The zone has let go of a site when it lacks it, or names those whom its successor names. */
  #forget(): void {
    const zone = this.#zone;
    if (zone === undefined) return;
    for (const [site, revision] of this.#forgotten) {
      const said = zone.names.find(({ name }) => name === hostOf(site))?.candidates.toSorted();
      const now = this.#candidates.get(site)?.toSorted() ?? [];
      const isNew = now.length > 0 && now.join() === said?.join();
      if (said === undefined || isNew) this.#forgotten.set(site, revision ?? zone.revision);
      // A zone that was made before the deletion may be written after it.
      else if (now.length === 0) this.#forgotten.set(site, undefined);
    }
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
