import { parseManifest } from '../../runtime/manifest.ts';
import type { World } from '../../runtime/world.ts';
import { viewerOf } from '../gateway/view.ts';
import type { Blobs } from './blobs.ts';

/** Releases whose files are remembered; the oldest one goes first. */
const RELEASES_REMEMBERED_MAX = 64;

/**
 * Says whether a node may fetch a blob: only what its plan names, which is the releases of its
 * sites with their files, and for nameservers the geography database (INV-34).
 */
export class BlobAccess {
  readonly #world: World;
  readonly #blobs: Blobs;
  readonly #files = new Map<string, ReadonlySet<string>>();

  constructor(world: World, blobs: Blobs) {
    this.#world = world;
    this.#blobs = blobs;
  }

  async allowed(node: string, digest: string): Promise<boolean> {
    const declared = this.#world.get('Node', { name: node });
    if (declared === undefined) return false;
    const viewer = viewerOf(declared);
    const geo = this.#world.record('geo', 'current')?.value.databases ?? [];
    if (viewer.nameserver && geo.some((each) => each.digest === digest)) return true;
    if (!viewer.edge) return false;
    const releases = this.#releases();
    if (releases.includes(digest)) return true;
    for (const release of releases) if ((await this.#filesOf(release)).has(digest)) return true;
    return false;
  }

  #releases(): readonly string[] {
    const named = this.#world
      .list('Site')
      .flatMap((site) => [site.status?.release, site.spec.content?.release]);
    return [...new Set(named.filter((each) => each !== undefined))];
  }

  async #filesOf(release: string): Promise<ReadonlySet<string>> {
    const known = this.#files.get(release);
    if (known !== undefined) return known;
    if (!(await this.#blobs.has(release))) return new Set();
    const manifest = parseManifest(await this.#blobs.read(release));
    const files = new Set(manifest.map((file) => file.digest));
    this.#files.set(release, files);
    const oldest = this.#files.keys().next().value;
    if (this.#files.size > RELEASES_REMEMBERED_MAX && oldest !== undefined)
      this.#files.delete(oldest);
    return files;
  }
}
