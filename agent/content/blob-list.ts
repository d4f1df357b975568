import { blobPath, type Digest, isDigest } from '../../runtime/content/digest.ts';
import type { Disk } from '../../runtime/disk/disk.ts';

const BLOBS = 'blobs/sha256';

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
