import type { Blob, MissingBlob } from '../../runtime/api-client.ts';
import { EntryCheck, pathOf } from '../../runtime/content/content-check.ts';
import type { ReleaseFile } from '../../runtime/content/manifest.ts';
import { CommandError } from '../cli.ts';
import type { Archive } from './archive.ts';
import {
  compressionOf,
  hashStream,
  type LocalRelease,
  type Reading,
  releaseFile,
  releaseOf,
  without,
} from './release.ts';

/**
 * Reads an archive through, checks and hashes it; nothing is unpacked to disk. What dom lacks is
 * read in a second round. Throws a CommandError that names whatever cannot be published.
 */
export async function hashArchive(
  { progress, signal }: Pick<Reading, 'progress' | 'signal'>,
  archive: Archive,
): Promise<LocalRelease> {
  const check = new EntryCheck(archive.label, (message) => new CommandError(`error: ${message}`));
  const hashed: ReleaseFile[] = [];
  let doneBytes = 0;
  const told = (sizeBytes: number): void => {
    doneBytes += sizeBytes;
    check.count(sizeBytes);
    const [doneFiles, totalFiles] = [hashed.length, hashed.length];
    progress.show({ verb: 'hashing', doneFiles, totalFiles, doneBytes, totalBytes: doneBytes });
  };
  try {
    for await (const entry of archive.entries()) {
      signal.throwIfAborted();
      const admitted = check.admit({ ...entry, shown: shownAs(entry.name) });
      if (admitted.kind !== 'file') continue;
      const { digest, sizeBytes } = await hashStream(abortable(entry.chunks(), signal), told);
      hashed.push(releaseFile(admitted.path, digest, sizeBytes));
    }
  } catch (error) {
    check.refuseProblems();
    throw error;
  } finally {
    progress.end();
  }
  check.finish();
  return releaseOf(hashed, {
    atOnce: archive.atOnce,
    blobs: (missing) => blobsOf(archive, hashed, missing),
  });
}

function shownAs(name: string | undefined): string {
  return name === undefined || name === '' ? 'an entry' : name;
}

async function* blobsOf(
  archive: Archive,
  hashed: readonly ReleaseFile[],
  missing: readonly MissingBlob[],
): AsyncGenerator<Blob> {
  const byPath = new Map(hashed.map((file) => [file.path, file]));
  const left = new Map(missing.map((blob) => [blob.digest, blob]));
  if (left.size === 0) return;
  for await (const entry of archive.entries()) {
    const file = entry.kind === 'file' ? byPath.get(pathOf(entry.name) ?? '') : undefined;
    const blob = file === undefined ? undefined : left.get(file.digest);
    if (file === undefined || blob === undefined) continue;
    left.delete(file.digest);
    yield {
      ...{ digest: blob.digest, sizeBytes: file.sizeBytes, offsetBytes: blob.heldBytes },
      chunks: blob.heldBytes === 0 ? entry.chunks() : without(entry.chunks(), blob.heldBytes),
      compression: compressionOf(file.contentType),
    };
    if (left.size === 0) return;
  }
}

async function* abortable(
  chunks: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    signal.throwIfAborted();
    yield chunk;
  }
}
