import { pathOf } from '../../runtime/content/content-check.ts';
import { type Archive, type ArchiveEntry, archiveError } from './archive.ts';
import { ByteReader } from './byte-reader.ts';
import type { Registry } from './registry.ts';
import { tarEntries } from './tar.ts';
import { packingOf, unpacked } from './unpack.ts';

const INDEXES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];
const MANIFESTS = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];
const ACCEPT = [...MANIFESTS, ...INDEXES].join(', ');
/** Docker allows 127. */
const LAYERS_MAX = 256;
const DIGEST = /^sha256:[0-9a-f]{64}$/u;
/** What hides a name, and all of a folder, of the layers below (OCI Image 1.1, "Whiteouts"). */
const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';

interface Layer {
  readonly digest: string;
  readonly sizeBytes: number;
}

/**
 * The files of an image, or of an artifact whose layers are tar files: of several layers, what the
 * topmost has; of several platforms, linux/amd64 or else the first, for content is the same on all.
 */
export async function imageArchive(
  label: string,
  { registry, reference }: { readonly registry: Registry; readonly reference: string },
  signal: AbortSignal,
): Promise<Archive> {
  const first = await registry.manifest(reference, ACCEPT, signal);
  const chosen = platformOf(label, first);
  const manifest =
    chosen === undefined ? first : await registry.manifest(chosen, MANIFESTS.join(', '), signal);
  const layers = layersOf(label, manifest);
  return {
    label,
    atOnce: 'one',
    async *entries() {
      const hidden = new Hidden();
      for (const layer of layers.toReversed()) {
        yield* visible(tarEntries(label, bytesOf(label, registry.blob(layer, signal))), hidden);
        hidden.endLayer();
      }
    },
  };
}

/** The manifest to read of an index; undefined: this is no index. */
function platformOf(label: string, document: unknown): string | undefined {
  const { manifests } = document as { readonly manifests?: unknown };
  if (!Array.isArray(manifests)) return undefined;
  const listed = manifests.map((each: unknown) => {
    const { digest, platform } = (each ?? {}) as { digest?: unknown; platform?: unknown };
    const { os, architecture } = (platform ?? {}) as { os?: unknown; architecture?: unknown };
    return { digest: String(digest), os, architecture };
  });
  // Attestations of builds are listed as of no platform.
  const real = listed.filter(({ digest, os }) => DIGEST.test(digest) && os !== 'unknown');
  const usual = real.find(({ os, architecture }) => os === 'linux' && architecture === 'amd64');
  const digest = (usual ?? real[0])?.digest;
  if (digest === undefined) throw archiveError(label, 'it is for no platform');
  return digest;
}

function layersOf(label: string, document: unknown): readonly Layer[] {
  const { layers } = document as { readonly layers?: unknown };
  if (!Array.isArray(layers) || layers.length === 0)
    throw archiveError(label, 'it has no layers; is it an image?');
  if (layers.length > LAYERS_MAX) throw archiveError(label, `more than ${LAYERS_MAX} layers`);
  return layers.map((each: unknown) => {
    const { digest, size } = (each ?? {}) as { digest?: unknown; size?: unknown };
    if (typeof digest === 'string' && DIGEST.test(digest) && Number.isSafeInteger(size))
      return { digest, sizeBytes: Number(size) };
    throw archiveError(label, 'it names a layer without a sha256 digest and a size');
  });
}

/** A layer unpacked: what it is packed by, its first bytes tell better than its media type. */
async function* bytesOf(
  label: string,
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const reader = new ByteReader(chunks);
  const start = await reader.atMost(512);
  const packing = packingOf(start);
  if (packing !== 'gzip' && packing !== 'zstd' && packing !== 'none') {
    await reader.close();
    throw archiveError(label, 'a layer of it is no tar file, also not packed by gzip or zstd');
  }
  const whole = (async function* () {
    yield start;
    yield* reader.rest();
  })();
  yield* unpacked(label, whole, packing);
}

async function* visible(
  entries: AsyncIterable<ArchiveEntry>,
  hidden: Hidden,
): AsyncGenerator<ArchiveEntry> {
  for await (const entry of entries) {
    const path = pathOf(entry.name);
    // A name that is none is for the check to refuse.
    if (path === undefined || hidden.takes(path, entry.kind)) yield entry;
  }
}

/** What the layers above one hide of it. */
class Hidden {
  /** Names of the layers above, and folders of which nothing below is seen. */
  readonly #names = new Set<string>();
  readonly #folders = new Set<string>();
  #layerNames: string[] = [];
  #layerFolders: string[] = [];

  /** Whether an entry is seen; one that hides others never is. */
  takes(path: string, kind: ArchiveEntry['kind']): boolean {
    const slash = path.lastIndexOf('/');
    const [folder, name] = [path.slice(0, Math.max(0, slash)), path.slice(slash + 1)];
    if (name === OPAQUE) this.#layerFolders.push(folder);
    else if (name.startsWith(WHITEOUT)) {
      const hides = name.slice(WHITEOUT.length);
      const whole = folder === '' ? hides : `${folder}/${hides}`;
      this.#layerNames.push(whole);
      this.#layerFolders.push(whole);
    } else if (!this.#isHidden(path)) {
      if (kind !== 'folder') {
        this.#layerNames.push(path);
        this.#layerFolders.push(path);
      }
      return true;
    }
    return false;
  }

  /** What a layer hides, it hides of those below it only. */
  endLayer(): void {
    for (const name of this.#layerNames) this.#names.add(name);
    for (const folder of this.#layerFolders) this.#folders.add(folder);
    this.#layerNames = [];
    this.#layerFolders = [];
  }

  #isHidden(path: string): boolean {
    if (this.#names.has(path) || this.#folders.has('')) return true;
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1))
      if (this.#folders.has(path.slice(0, end))) return true;
    return false;
  }
}
