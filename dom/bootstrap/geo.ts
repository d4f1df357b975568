import type { GeoRecord } from '../../runtime/store/records.ts';
import type { Blobs } from '../blobs/blobs.ts';

/** A database file, to be read once for its hash and once more if its bytes are new. */
export interface GeoFile {
  readonly sizeBytes: number;
  digest(): Promise<string>;
  read(): AsyncIterable<Uint8Array>;
}

/** Puts the geography databases among the blobs, in the order in which they are looked up. */
export async function importGeo(files: readonly GeoFile[], blobs: Blobs): Promise<GeoRecord> {
  const databases: { digest: string; sizeBytes: number }[] = [];
  for (const file of files) {
    const digest = await file.digest();
    if (!(await blobs.has(digest))) await blobs.put(digest, file.read());
    databases.push({ digest, sizeBytes: file.sizeBytes });
  }
  return { databases };
}
