import { API_VERSION } from '../api/object.ts';
import type { Api, Blob } from '../runtime/api-client.ts';
import type { Files } from '../runtime/files.ts';
import { MANAGER } from './cli.ts';
import type { LocalRelease } from './content.ts';
import { findObject } from './objects.ts';
import type { Progress } from './progress.ts';

/** How many digests one question to dom names: 1000 of them are about 70 kB. */
const DIGESTS_PER_QUESTION = 1000;

/** How many blobs are sent side by side: most are small, and wait for dom's disk. */
const UPLOADS_MAX = 16;

export interface UploadTarget {
  readonly api: Api;
  readonly files: Files;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

export interface Uploaded {
  readonly uploadedFiles: number;
  readonly uploadedBytes: number;
}

/**
 * Brings a release to dom: the blobs that it lacks, then the manifest, then the Release object, so
 * that whatever names the release finds all of it. Cut off in the middle, a second run goes on.
 */
export async function uploadRelease(
  target: UploadTarget,
  release: LocalRelease,
  site: { readonly namespace: string; readonly name: string },
): Promise<Uploaded> {
  const missing = await missingBlobs(target, release);
  const manifestBlob = missing.filter(({ digest }) => digest === release.digest);
  const fileBlobs = missing.filter(({ digest }) => digest !== release.digest);
  const uploaded = await uploadAll(target, fileBlobs);
  for (const blob of manifestBlob) await target.api.uploadBlob(blob, target.signal);
  await declareRelease(target.api, release, site);
  return uploaded;
}

/** Each blob once, though several files may hold the same bytes. */
async function missingBlobs(
  { api, files }: UploadTarget,
  release: LocalRelease,
): Promise<readonly Blob[]> {
  const blobs = new Map<string, Blob>();
  for (const { digest, sizeBytes, source } of release.files) {
    blobs.set(digest, { digest, sizeBytes, chunks: lazyStream(() => files.stream(source)) });
  }
  blobs.set(release.digest, {
    digest: release.digest,
    sizeBytes: release.manifest.length,
    chunks: lazyStream(() => piecesOf(release.manifest)),
  });
  const digests = [...blobs.keys()];
  const missing: string[] = [];
  for (let start = 0; start < digests.length; start += DIGESTS_PER_QUESTION) {
    const asked = digests.slice(start, start + DIGESTS_PER_QUESTION);
    missing.push(...(await api.findMissingBlobs(asked)));
  }
  return missing.flatMap((digest) => blobs.get(digest) ?? []);
}

async function uploadAll(target: UploadTarget, blobs: readonly Blob[]): Promise<Uploaded> {
  const totalBytes = blobs.reduce((sum, blob) => sum + blob.sizeBytes, 0);
  let doneFiles = 0;
  let doneBytes = 0;
  const queue = blobs.values();
  // A failure of one worker must stop the others before the next blob.
  const failed = new AbortController();
  const signal = AbortSignal.any([target.signal, failed.signal]);
  const count = (sizeBytes: number) => {
    doneBytes += sizeBytes;
    target.progress.show({
      ...{ verb: 'uploading', doneFiles, totalFiles: blobs.length },
      ...{ doneBytes, totalBytes },
    });
  };
  const worker = async () => {
    for (const blob of queue) {
      signal.throwIfAborted();
      await target.api.uploadBlob({ ...blob, chunks: counted(blob.chunks, count) }, signal);
      doneFiles += 1;
    }
  };
  const workers = Array.from({ length: Math.min(UPLOADS_MAX, blobs.length) }, async () => {
    try {
      await worker();
    } catch (error) {
      failed.abort(error);
      throw error;
    }
  });
  const outcomes = await Promise.allSettled(workers);
  target.progress.end();
  target.signal.throwIfAborted();
  if (outcomes.some(({ status }) => status === 'rejected')) throw failed.signal.reason;
  return { uploadedFiles: doneFiles, uploadedBytes: totalBytes };
}

/** A Release never changes, so one of that name is this one, whichever site it was made for. */
async function declareRelease(
  api: Api,
  { digest, files, sizeBytes }: LocalRelease,
  site: { readonly namespace: string; readonly name: string },
): Promise<void> {
  const reference = { kind: 'Release', namespace: site.namespace, name: digest };
  if ((await findObject(api, reference)) !== undefined) return;
  await api.apply(
    {
      apiVersion: API_VERSION,
      kind: 'Release',
      metadata: { name: digest, namespace: site.namespace },
      spec: { site: site.name, files: files.length, sizeBytes },
    },
    { manager: MANAGER },
  );
}

/** Opens the file when it is its turn, not when it is listed. */
function lazyStream(open: () => AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  return { [Symbol.asyncIterator]: () => open()[Symbol.asyncIterator]() };
}

async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  count: (sizeBytes: number) => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    yield chunk;
    count(chunk.length);
  }
}

async function* piecesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
