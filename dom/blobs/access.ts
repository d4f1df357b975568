import type { Identity } from '../../runtime/authority.ts';
import { MANIFEST_BYTES_MAX, ManifestError, parseManifest } from '../../runtime/manifest.ts';
import { releasesWanted } from '../../runtime/site-releases.ts';
import type { World } from '../../runtime/world.ts';
import { viewerOf } from '../gateway/view.ts';
import type { Blobs } from './blobs.ts';

/** Files, of all releases together, that are remembered: some 50 MB. The oldest release goes first. */
const FILES_REMEMBERED_MAX = 500_000;

type NodeIdentity = Extract<Identity, { kind: 'node' }>;

/**
 * Says whether a node may fetch a blob: only what its plan names, which is the releases of its
 * sites with their files, and for nameservers the geography database (INV-34).
 */
export class BlobAccess {
  readonly #world: World;
  readonly #blobs: Blobs;
  readonly #files = new Map<string, ReadonlySet<string>>();
  #remembered = 0;

  constructor(world: World, blobs: Blobs) {
    this.#world = world;
    this.#blobs = blobs;
  }

  async allowed(node: Pick<NodeIdentity, 'name' | 'uid'>, digest: string): Promise<boolean> {
    const declared = this.#world.get('Node', { name: node.name });
    // The certificate of an earlier Node of that name is worth nothing (INV-36).
    if (declared?.metadata.uid !== node.uid) return false;
    const viewer = viewerOf(declared);
    const geo = this.#world.record('geo', 'current')?.value.databases ?? [];
    if (viewer.nameserver && geo.some((each) => each.digest === digest)) return true;
    if (!viewer.edge) return false;
    const releases = this.#releases();
    if (releases.includes(digest)) return true;
    // A node fetches one release after another, so most often the answer is known already.
    if (releases.some((release) => this.#files.get(release)?.has(digest) === true)) return true;
    for (const release of releases) {
      if (this.#files.has(release)) continue;
      if ((await this.#read(release)).has(digest)) return true;
    }
    return false;
  }

  #releases(): readonly string[] {
    return [...new Set(this.#world.list('Site').flatMap(releasesWanted))];
  }

  async #read(release: string): Promise<ReadonlySet<string>> {
    const sizeBytes = await this.#blobs.sizeOf(release);
    if (sizeBytes === undefined) return NO_FILES;
    const files = sizeBytes > MANIFEST_BYTES_MAX ? NO_FILES : await this.#filesOf(release);
    if (!this.#files.has(release)) this.#remember(release, files);
    return files;
  }

  /** A Site may name any blob: what is no manifest names no files, and is nobody else's trouble. */
  async #filesOf(release: string): Promise<ReadonlySet<string>> {
    try {
      const manifest = parseManifest(await this.#blobs.read(release));
      return new Set(manifest.map((file) => file.digest));
    } catch (error) {
      if (error instanceof ManifestError) return NO_FILES;
      throw error;
    }
  }

  #remember(release: string, files: ReadonlySet<string>): void {
    this.#files.set(release, files);
    this.#remembered += files.size + 1;
    for (const [oldest, forgotten] of this.#files) {
      if (this.#remembered <= FILES_REMEMBERED_MAX || oldest === release) return;
      this.#files.delete(oldest);
      this.#remembered -= forgotten.size + 1;
    }
  }
}

const NO_FILES: ReadonlySet<string> = new Set();
