import {
  MANIFEST_BYTES_MAX,
  ManifestError,
  parseManifest,
} from '../../runtime/content/manifest.ts';
import { releasesShown } from '../../runtime/content/site-releases.ts';
import { parseVariants, VariantsError } from '../../runtime/content/variants.ts';
import type { Revision } from '../../runtime/store/store.ts';
import type { World } from '../../runtime/store/world.ts';
import type { Identity } from '../../runtime/tls/authority.ts';
import { variantsOf } from '../gateway/variants-view.ts';
import { viewerOf } from '../gateway/view.ts';
import type { Blobs } from './blobs.ts';

/** Files, of all releases together, that are remembered: some 50 MB. The oldest release goes first. */
const FILES_REMEMBERED_MAX = 500_000;

type NodeIdentity = Extract<Identity, { kind: 'node' }>;

/**
 * Says whether a node may fetch a blob: only what its plan names, which is the releases of its
 * sites with their files and the compressed forms of these, and for nameservers the geography
 * database (INV-34).
 */
export class BlobAccess {
  readonly #world: World;
  readonly #blobs: Blobs;
  readonly #files = new Map<string, ReadonlySet<string>>();
  #remembered = 0;
  /** As of which revision, and what: a node asks for thousands of blobs in a row. */
  #known: { readonly revision: Revision; readonly lists: ReadonlyMap<string, Parse> } | undefined;

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
    const lists = this.#lists();
    if (lists.has(digest)) return true;
    // A node fetches one release after another, so most often the answer is known already.
    for (const list of lists.keys()) if (this.#files.get(list)?.has(digest) === true) return true;
    for (const [list, parse] of lists) {
      if (this.#files.has(list)) continue;
      if ((await this.#read(list, parse)).has(digest)) return true;
    }
    return false;
  }

  /** What names blobs, with how it is read: manifests, and behind them indexes of forms. */
  #lists(): ReadonlyMap<string, Parse> {
    const { revision } = this.#world;
    if (this.#known?.revision !== revision) this.#known = { revision, lists: this.#listsNow() };
    return this.#known.lists;
  }

  #listsNow(): ReadonlyMap<string, Parse> {
    const sites = this.#world.list('Site');
    const indexes = sites.flatMap((site) => variantsOf(this.#world, site));
    return new Map<string, Parse>([
      ...sites.flatMap(releasesShown).map((each) => [each, filesOf] as const),
      ...indexes.map(({ index }) => [index, formsOf] as const),
    ]);
  }

  async #read(list: string, parse: Parse): Promise<ReadonlySet<string>> {
    const sizeBytes = await this.#blobs.sizeOf(list);
    if (sizeBytes === undefined) return NO_FILES;
    const files = sizeBytes > MANIFEST_BYTES_MAX ? NO_FILES : await this.#namedBy(list, parse);
    if (!this.#files.has(list)) this.#remember(list, files);
    return files;
  }

  /** A Site may name any blob: what is no manifest names no files, and is nobody else's trouble. */
  async #namedBy(list: string, parse: Parse): Promise<ReadonlySet<string>> {
    try {
      return new Set(parse(await this.#blobs.read(list)));
    } catch (error) {
      if (error instanceof ManifestError || error instanceof VariantsError) return NO_FILES;
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

/** Throws a ManifestError or VariantsError for what is none. */
type Parse = (bytes: Uint8Array) => readonly string[];

function filesOf(manifest: Uint8Array): readonly string[] {
  return parseManifest(manifest).map(({ digest }) => digest);
}

function formsOf(index: Uint8Array): readonly string[] {
  return [...parseVariants(index).values()].flat().map(({ digest }) => digest);
}

const NO_FILES: ReadonlySet<string> = new Set();
