import {
  blobPath,
  type Digest,
  digestHex,
  digestOf,
  isDigest,
  partPath,
} from '../../runtime/content/digest.ts';
import { ManifestError, parseManifest, releaseDigest } from '../../runtime/content/manifest.ts';
import { parseVariants, type Variant, VariantsError } from '../../runtime/content/variants.ts';
import type { Disk } from '../../runtime/disk/disk.ts';
import { BlobIndex } from './blob-index.ts';
import { type Manifest, type ObservedContent, type StoredItem } from './plan.ts';

/**
 * The blobs on this node's disk: `blobs/sha256/ab/<64 hex digits>` whole, `partial/<64 hex digits>`
 * on their way, `verified/<release>` for releases of which every blob was seen.
 */
export interface BlobStore {
  /** Looks at the disk; of the manifests, at those of `releases`, and at these indexes. */
  observe(releases: readonly Digest[], indexes: readonly Digest[]): Promise<ObservedContent>;
  mark(release: Digest): Promise<void>;
  unmark(release: Digest): Promise<void>;
  remove(item: StoredItem): Promise<void>;
  /** A blob has come to the disk. */
  added(digest: Digest, sizeBytes: number): void;
  /** Something may have gone by itself. */
  forget(): void;
}

const PARTS = 'partial';
const MARKERS = 'verified';

export function createBlobStore(disk: Disk): BlobStore {
  const index = new BlobIndex(disk);
  // Content-addressed, so what was parsed never goes stale.
  let parsed: ReadonlyMap<Digest, Manifest> = new Map();
  let parsedForms: ReadonlyMap<Digest, readonly Variant[]> = new Map();

  return {
    async observe(releases, indexes) {
      const { blobs, strays: found, era } = await index.read();
      let isDamaged = false;
      const strays = [...found];
      const parts = await listDigests(disk, PARTS, strays);
      const markers = await listDigests(disk, MARKERS, strays);
      const manifests = new Map<Digest, Manifest>();
      for (const release of releases) {
        if (!blobs.has(release)) continue;
        const manifest = parsed.get(release) ?? (await readManifest(disk, release));
        // Damaged on disk: as good as absent, to be fetched again.
        if (manifest === undefined) isDamaged = blobs.delete(release);
        else manifests.set(release, manifest);
      }
      parsed = manifests;
      const forms = new Map<Digest, readonly Variant[]>();
      for (const each of indexes) {
        if (!blobs.has(each)) continue;
        const named = parsedForms.get(each) ?? (await readForms(disk, each));
        if (named === undefined) isDamaged = blobs.delete(each);
        else forms.set(each, named);
      }
      parsedForms = forms;
      const rest = { parts, markers, manifests, forms, strays };
      return { blobs, ...rest, era: isDamaged ? {} : era };
    },
    mark: (release) => disk.write(itemPath({ kind: 'marker', digest: release }), new Uint8Array()),
    unmark: (release) => disk.remove(itemPath({ kind: 'marker', digest: release })),
    async remove(item) {
      await disk.remove(itemPath(item));
      if (item.kind === 'blob') index.removed(item.digest);
    },
    added: (digest, sizeBytes) => index.added(digest, sizeBytes),
    forget: () => index.forget(),
  };
}

function itemPath(item: StoredItem): string {
  switch (item.kind) {
    case 'blob':
      return blobPath(item.digest);
    case 'part':
      return partPath(item.digest);
    case 'marker':
      return `${MARKERS}/${digestHex(item.digest)}`;
    case 'stray':
      return item.path;
  }
}

async function listDigests(disk: Disk, folder: string, strays: string[]): Promise<Set<Digest>> {
  const digests = new Set<Digest>();
  for (const { name } of await disk.list(folder)) {
    const digest = `sha256-${name}`;
    if (isDigest(digest)) digests.add(digest);
    else strays.push(`${folder}/${name}`);
  }
  return digests;
}

async function readManifest(disk: Disk, release: Digest): Promise<Manifest | undefined> {
  const bytes = await disk.read(blobPath(release));
  if (bytes === undefined || releaseDigest(bytes) !== release) return undefined;
  try {
    return { kind: 'parsed', files: parseManifest(bytes) };
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    return { kind: 'broken', why: error.message };
  }
}

/** Undefined: damaged. One that is whole and cannot be read names nothing: dom has it like this. */
async function readForms(disk: Disk, index: Digest): Promise<readonly Variant[] | undefined> {
  const bytes = await disk.read(blobPath(index));
  if (bytes === undefined || digestOf(bytes) !== index) return undefined;
  try {
    return [...parseVariants(bytes).values()].flat();
  } catch (error) {
    if (!(error instanceof VariantsError)) throw error;
    return [];
  }
}
