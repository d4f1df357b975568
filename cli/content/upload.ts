import { API_VERSION } from '../../api/object.ts';
import { type Api, ApiError, type Blob, type MissingBlob } from '../../runtime/api-client.ts';
import type { Clock } from '../../runtime/clock.ts';
import { printable } from '../../runtime/printable.ts';
import { CommandError, MANAGER } from '../cli.ts';
import { findObject } from '../objects/objects.ts';
import type { Progress } from './progress.ts';
import type { LocalRelease } from './release.ts';

/** How many digests one question to dom names: 5000 of them are about 350 kB. */
const DIGESTS_PER_QUESTION = 5000;

/** How many streams bring blobs side by side; in each, dom stores several small ones at once. */
const STREAMS_MAX = 4;

/** How often an upload of which dom holds less than it said begins anew. */
const ATTEMPTS_MAX = 3;

/** What dom said to have this long ago it may have cleared away by now: it is asked once more. */
const ASKED_AGAIN_MS = 3600 * 1000;

export interface UploadTarget {
  readonly api: Api;
  readonly clock: Clock;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** The Site that a release is for. */
export interface PublishedFor {
  readonly namespace: string;
  readonly name: string;
  /** Left out: it is not known, or not there yet. */
  readonly uid?: string;
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
  site: PublishedFor,
): Promise<Uploaded> {
  const { api, signal, clock } = target;
  let askedMs = clock.monotonicMs();
  let uploaded = await uploadFiles(target, release, ATTEMPTS_MAX);
  while (clock.monotonicMs() - askedMs > ASKED_AGAIN_MS) {
    askedMs = clock.monotonicMs();
    uploaded = sumOf(uploaded, await uploadFiles(target, release, ATTEMPTS_MAX));
  }
  const { digest, manifest } = release;
  if ((await api.findMissingBlobs([digest])).length > 0) {
    const blob = { digest, sizeBytes: manifest.length, chunks: once(manifest) };
    await api.uploadBlobs(once({ ...blob, compression: 'try' as const }), signal);
  }
  await declareRelease(api, release, site);
  return uploaded;
}

function sumOf(one: Uploaded, other: Uploaded): Uploaded {
  return {
    uploadedFiles: one.uploadedFiles + other.uploadedFiles,
    uploadedBytes: one.uploadedBytes + other.uploadedBytes,
  };
}

async function uploadFiles(
  target: UploadTarget,
  release: LocalRelease,
  attempts: number,
): Promise<Uploaded> {
  const missing = await missingBlobs(target, release);
  try {
    return await uploadMissing(target, release, missing);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    // Of a blob that dom held in part, it holds another part now: it is asked what.
    if (error.reason === 'Aborted' && attempts > 1)
      return await uploadFiles(target, release, attempts - 1);
    throw namingFile(error, release);
  }
}

/** Each blob once, though several files may hold the same bytes. */
async function missingBlobs(
  { api, signal }: UploadTarget,
  release: LocalRelease,
): Promise<readonly MissingBlob[]> {
  const digests = [...new Set(release.files.map(({ digest }) => digest))];
  const missing: MissingBlob[] = [];
  for (let start = 0; start < digests.length; start += DIGESTS_PER_QUESTION) {
    signal.throwIfAborted();
    missing.push(
      ...(await api.findMissingBlobs(digests.slice(start, start + DIGESTS_PER_QUESTION))),
    );
  }
  return missing;
}

async function uploadMissing(
  target: UploadTarget,
  release: LocalRelease,
  missing: readonly MissingBlob[],
): Promise<Uploaded> {
  const sizes = new Map<string, number>(release.files.map((file) => [file.digest, file.sizeBytes]));
  const totalBytes = missing.reduce((sum, { digest, heldBytes }) => {
    return sum + (sizes.get(digest) ?? 0) - heldBytes;
  }, 0);
  let [doneFiles, doneBytes] = [0, 0];
  const count = (sizeBytes: number): void => {
    doneBytes += sizeBytes;
    target.progress.show({
      ...{ verb: 'uploading', doneFiles, totalFiles: missing.length },
      ...{ doneBytes, totalBytes },
    });
  };
  const blobs = release.blobs(missing)[Symbol.asyncIterator]();
  const taken = async function* (): AsyncGenerator<Blob> {
    for (let next = await blobs.next(); next.done !== true; next = await blobs.next()) {
      yield { ...next.value, chunks: counted(next.value.chunks, count) };
      doneFiles += 1;
    }
  };
  const streams = release.atOnce === 'one' ? 1 : STREAMS_MAX;
  try {
    const count = Math.min(streams, missing.length);
    await inStreams(target, { count, sizeBytes: totalBytes / count }, taken);
  } finally {
    await blobs.return?.();
    target.progress.end();
  }
  return { uploadedFiles: missing.length, uploadedBytes: totalBytes };
}

/** A failure of one stream stops the others. */
async function inStreams(
  { api, signal }: UploadTarget,
  { count, sizeBytes }: { readonly count: number; readonly sizeBytes: number },
  blobs: () => AsyncIterable<Blob>,
): Promise<void> {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const uploads = Array.from({ length: count }, () =>
    api.uploadBlobs(blobs(), either, { sizeBytes }).catch((error: unknown) => failed.abort(error)),
  );
  await Promise.all(uploads);
  signal.throwIfAborted();
  if (failed.signal.aborted) throw failed.signal.reason;
}

/** dom knows a file by its digest only. */
function namingFile(error: ApiError, release: LocalRelease): Error {
  const file = release.files.find(({ digest }) => error.message.includes(digest));
  if (file === undefined || error.reason !== 'Invalid') return error;
  const what = `error: ${printable(file.path)} changed after it was hashed`;
  const mend = 'push again, with --no-cache if nothing wrote to it';
  return new CommandError(`${what}; ${mend}`, { cause: error });
}

/**
 * A Release never changes, so one of that name is this one, whichever site it was made for. It may be
 * about to go with that site: declared again, it is there for its own sake.
 */
async function declareRelease(
  api: Api,
  { digest, files, sizeBytes }: LocalRelease,
  site: PublishedFor,
): Promise<void> {
  const reference = { kind: 'Release', namespace: site.namespace, name: digest };
  const found = await findObject(api, reference);
  const owners = found?.metadata.ownerReferences ?? [];
  const isSafe = owners.length === 0 || owners.some(({ uid }) => uid === site.uid);
  if (found !== undefined && isSafe) return;
  await api.apply(
    {
      apiVersion: API_VERSION,
      kind: 'Release',
      metadata: { name: digest, namespace: site.namespace },
      spec: found?.spec ?? { site: site.name, files: files.length, sizeBytes },
    },
    { manager: MANAGER },
  );
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

async function* once<T>(value: T): AsyncGenerator<T> {
  yield value;
}
