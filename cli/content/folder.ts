import { posix } from 'node:path';
import type { Blob, MissingBlob } from '../../runtime/api-client.ts';
import { EntryCheck, type EntryKind } from '../../runtime/content/content-check.ts';
import type { ReleaseFile } from '../../runtime/content/manifest.ts';
import type { FileEntry, FileStamp, Files } from '../../runtime/disk/files.ts';
import { printable } from '../../runtime/printable.ts';
import { CommandError } from '../cli.ts';
import { HashCache, placeOf } from './hash-cache.ts';
import {
  compressionOf,
  hashStream,
  type LocalRelease,
  type Reading,
  releaseFile,
  releaseOf,
} from './release.ts';

/** How deep folders may nest: a path has at most 1024 bytes. */
const DEPTH_MAX = 512;

/** Small files are mostly waited for, not hashed. */
const HASHED_AT_ONCE = 8;

/** Reads and hashes a folder. Throws a CommandError that names whatever cannot be published. */
export async function hashFolder(reading: Reading, folder: string): Promise<LocalRelease> {
  const { files, progress, clock } = reading;
  const found = await listFolder(files, folder);
  const place = await placeOf(files, folder, reading.cacheFolder);
  const cache = await HashCache.load(files, place, clock);
  const hashed: Hashed[] = [];
  const unknown: Found[] = [];
  for (const file of found) {
    const { source, path, sizeBytes, stamp } = file;
    const digest = stamp === undefined ? undefined : cache.get(path, stamp);
    if (digest === undefined) unknown.push(file);
    else hashed.push({ source, ...releaseFile(path, digest, sizeBytes) });
  }
  hashed.push(...(await hashFiles(reading, unknown, cache)));
  progress.end();
  // What was written to while it was read might be half of one version and half of the next.
  if (unknown.length > 0) refuseChanges(folder, found, await listFolder(files, folder));
  await cache.save(files, place);
  return releaseOf(hashed, {
    atOnce: 'several',
    blobs: (missing) => blobsOf(files, hashed, missing),
  });
}

/** A file to publish. */
interface Found {
  /** Where it is, as the Files port names it. */
  readonly source: string;
  /** Where it goes: relative to the site's root, in Unicode normal form C. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly stamp: FileStamp | undefined;
}

interface Hashed extends ReleaseFile {
  readonly source: string;
}

async function hashFiles(
  { files, progress, signal }: Reading,
  found: readonly Found[],
  cache: HashCache,
): Promise<readonly Hashed[]> {
  const totalBytes = found.reduce((sum, file) => sum + file.sizeBytes, 0);
  const hashed: Hashed[] = [];
  let doneBytes = 0;
  const told = (sizeBytes: number): void => {
    doneBytes += sizeBytes;
    progress.show({
      ...{ verb: 'hashing', doneFiles: hashed.length, totalFiles: found.length },
      ...{ doneBytes, totalBytes },
    });
  };
  const queue = found.values();
  const failed = new AbortController();
  const worker = async (): Promise<void> => {
    for (const { source, path, stamp } of queue) {
      signal.throwIfAborted();
      if (failed.signal.aborted) return;
      const readMs = cache.nowMs();
      const { digest, sizeBytes } = await hashStream(files.stream(source), told);
      if (stamp !== undefined) cache.put(path, stamp, { digest, readMs });
      hashed.push({ source, ...releaseFile(path, digest, sizeBytes) });
    }
  };
  const workers = Array.from({ length: HASHED_AT_ONCE }, () =>
    worker().catch((error: unknown) => failed.abort(error)),
  );
  await Promise.all(workers);
  if (failed.signal.aborted) throw failed.signal.reason;
  return hashed;
}

/** Every file to publish, sorted. Links, devices and names that no URL could say are refused. */
async function listFolder(files: Files, folder: string): Promise<readonly Found[]> {
  const walk: Walk = {
    files,
    check: new EntryCheck(folder, (message) => new CommandError(`error: ${message}`)),
    found: [],
  };
  await walkFolder(walk, folder, { prefix: '', depth: 0 });
  walk.check.finish();
  return walk.found;
}

interface Walk {
  readonly files: Files;
  readonly check: EntryCheck;
  readonly found: Found[];
}

async function walkFolder(
  walk: Walk,
  folder: string,
  { prefix, depth }: { readonly prefix: string; readonly depth: number },
): Promise<void> {
  for (const { name, kind, sizeBytes, stamp } of await walk.files.list(folder)) {
    const [source, relative] = [posix.join(folder, name), `${prefix}${name}`];
    const entry = { shown: source, name: relative, kind: KINDS[kind], sizeBytes };
    const admitted = walk.check.admit(entry);
    if (admitted.kind === 'file') {
      walk.check.count(sizeBytes);
      walk.found.push({ source, path: admitted.path, sizeBytes, stamp });
    } else if (admitted.kind === 'folder') {
      if (depth >= DEPTH_MAX)
        throw new CommandError(`error: ${printable(source)} nests too deeply; move it up`);
      await walkFolder(walk, source, { prefix: `${relative}/`, depth: depth + 1 });
    }
  }
}

const KINDS: Readonly<Record<FileEntry['kind'], EntryKind>> = {
  file: 'file',
  folder: 'folder',
  link: 'symbolic link',
  other: 'something unknown',
};

function refuseChanges(folder: string, before: readonly Found[], after: readonly Found[]): void {
  const now = new Map(after.map(({ source, stamp }) => [source, stamp?.text]));
  const changed = before.find(({ source, stamp }) => now.get(source) !== stamp?.text);
  if (changed === undefined && before.length === after.length) return;
  const what = printable(changed?.source ?? folder);
  throw new CommandError(
    `error: "${folder}" cannot be published: ${what} changed while it was read; try again when nothing writes to it`,
  );
}

async function* blobsOf(
  files: Files,
  hashed: readonly Hashed[],
  missing: readonly MissingBlob[],
): AsyncGenerator<Blob> {
  const byDigest = new Map<string, Hashed>(hashed.map((file) => [file.digest, file]));
  for (const { digest, heldBytes } of missing) {
    const file = byDigest.get(digest);
    if (file === undefined) continue;
    yield {
      ...{ digest, sizeBytes: file.sizeBytes, offsetBytes: heldBytes },
      chunks: wholeOf(files, file.source, { ...file, start: heldBytes }),
      compression: compressionOf(file.contentType),
    };
  }
}

/** Opens the file when it is its turn, not when it is listed. */
async function* wholeOf(
  files: Files,
  source: string,
  { start, sizeBytes }: { readonly start: number; readonly sizeBytes: number },
): AsyncGenerator<Uint8Array> {
  let readBytes = start;
  for await (const chunk of files.stream(source, { start })) {
    readBytes += chunk.byteLength;
    if (readBytes > sizeBytes) break;
    yield chunk;
  }
  if (readBytes !== sizeBytes)
    throw new CommandError(
      `error: ${printable(source)} changed while it was published; push again`,
    );
}
