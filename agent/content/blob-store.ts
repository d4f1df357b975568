import { blobPath, type Digest, digestHex, digestOf, isDigest } from '../../runtime/digest.ts';
import type { Disk } from '../../runtime/disk.ts';
import { ManifestError, parseManifest, releaseDigest } from '../../runtime/manifest.ts';
import { parseVariants, type Variant, VariantsError } from '../../runtime/variants.ts';
import { type Manifest, type ObservedContent, type StoredItem } from './plan.ts';

/**
 * The blobs on this node's disk: `blobs/sha256/ab/<64 hex digits>` whole, `partial/<64 hex digits>`
 * on their way, `verified/<release>` for releases of which every blob was seen.
 */
export interface BlobStore {
  /** Reads the disk; of the manifests, those of `releases`, and these indexes. */
  observe(releases: readonly Digest[], indexes: readonly Digest[]): Promise<ObservedContent>;
  mark(release: Digest): Promise<void>;
  unmark(release: Digest): Promise<void>;
  remove(item: StoredItem): Promise<void>;
}

export function partPath(digest: Digest): string {
  return `${PARTS}/${digestHex(digest)}`;
}

const BLOBS = 'blobs/sha256';
const PARTS = 'partial';
const MARKERS = 'verified';

export function createBlobStore(disk: Disk): BlobStore {
  // Content-addressed, so what was parsed never goes stale.
  let parsed: ReadonlyMap<Digest, Manifest> = new Map();
  let parsedForms: ReadonlyMap<Digest, readonly Variant[]> = new Map();

  return {
    async observe(releases, indexes) {
      const strays: string[] = [];
      const blobs = await listBlobs(disk, strays);
      const parts = await listDigests(disk, PARTS, strays);
      const markers = await listDigests(disk, MARKERS, strays);
      const manifests = new Map<Digest, Manifest>();
      for (const release of releases) {
        if (!blobs.has(release)) continue;
        const manifest = parsed.get(release) ?? (await readManifest(disk, release));
        // Damaged on disk: as good as absent, to be fetched again.
        if (manifest === undefined) blobs.delete(release);
        else manifests.set(release, manifest);
      }
      parsed = manifests;
      const forms = new Map<Digest, readonly Variant[]>();
      for (const index of indexes) {
        if (!blobs.has(index)) continue;
        const found = parsedForms.get(index) ?? (await readForms(disk, index));
        if (found === undefined) blobs.delete(index);
        else forms.set(index, found);
      }
      parsedForms = forms;
      return { blobs, parts, markers, manifests, forms, strays };
    },
    mark: (release) => disk.write(itemPath({ kind: 'marker', digest: release }), new Uint8Array()),
    unmark: (release) => disk.remove(itemPath({ kind: 'marker', digest: release })),
    remove: (item) => disk.remove(itemPath(item)),
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

/** Whole blobs with their sizes in bytes; paths among them that are none are added to `strays`. */
export async function listBlobs(disk: Disk, strays: string[]): Promise<Map<Digest, number>> {
  const blobs = new Map<Digest, number>();
  for (const folder of await disk.list(BLOBS)) {
    for (const entry of await disk.list(`${BLOBS}/${folder.name}`)) {
      const digest = `sha256-${entry.name}`;
      const path = `${BLOBS}/${folder.name}/${entry.name}`;
      if (isDigest(digest) && blobPath(digest) === path) blobs.set(digest, entry.sizeBytes);
      else strays.push(path);
    }
  }
  return blobs;
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
