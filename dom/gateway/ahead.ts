import type { Site } from '../../api/site.ts';
import type { World } from '../../runtime/store/world.ts';

/**
 * While a Site is rolled out, nodes that see the same otherwise are told different releases of it.
 * Says so of each node, by uid of the Site; most of the time there is nothing to say.
 */
export class NodesAhead {
  readonly #world: World;
  #seen: { readonly revision: bigint; readonly sites: readonly Site[] } | undefined;

  constructor(world: World) {
    this.#world = world;
  }

  /** Whether there is anything to say of anybody. */
  get any(): boolean {
    return this.#sites().length > 0;
  }

  of(node: string): ReadonlyMap<string, string> {
    const told = new Map<string, string>();
    for (const { metadata, status } of this.#sites()) {
      const own = status?.ahead?.find(({ nodes }) => nodes.includes(node));
      if (own !== undefined) told.set(metadata.uid, own.release);
    }
    return told;
  }

  /** Looked up once for each revision of the world. */
  #sites(): readonly Site[] {
    const { revision } = this.#world;
    if (this.#seen?.revision !== revision) {
      const sites = this.#world.list('Site').filter(({ status }) => status?.ahead !== undefined);
      this.#seen = { revision, sites };
    }
    return this.#seen.sites;
  }
}
