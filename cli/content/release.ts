import { createHash } from 'node:crypto';
import type { Blob, MissingBlob } from '../../runtime/api-client.ts';
import type { Clock } from '../../runtime/clock.ts';
import { contentTypeOf } from '../../runtime/content/content-type.ts';
import { type Digest, digestOf } from '../../runtime/content/digest.ts';
import { encodeManifest, type ReleaseFile } from '../../runtime/content/manifest.ts';
import type { Files } from '../../runtime/disk/files.ts';
import type { RegistryPorts } from '../cli.ts';
import type { Progress } from './progress.ts';

/** What is to be published, as a release: all that dom must hold before a Site may name it. */
export interface LocalRelease {
  /** The release's name. */
  readonly digest: Digest;
  readonly manifest: Uint8Array;
  readonly files: readonly ReleaseFile[];
  readonly sizeBytes: number;
  /** `one`: the bytes of a blob must be read before the next one is asked for. */
  readonly atOnce: 'one' | 'several';
  /** The bytes of these, each once, in whatever order they are had. */
  blobs(missing: readonly MissingBlob[]): AsyncIterable<Blob>;
}

/** What it takes to read what is to be published. */
export interface Reading {
  readonly files: Files;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Where hashes are remembered; undefined: nowhere. */
  readonly cacheFolder: string | undefined;
  /** The way to registries of images; loaded when one is named. */
  registries(): Promise<RegistryPorts>;
}

export function releaseOf(
  files: readonly ReleaseFile[],
  access: Pick<LocalRelease, 'atOnce' | 'blobs'>,
): LocalRelease {
  const manifest = encodeManifest(files);
  const sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  return { digest: digestOf(manifest), manifest, files, sizeBytes, ...access };
}

export function releaseFile(path: string, digest: Digest, sizeBytes: number): ReleaseFile {
  return { path, digest, sizeBytes, contentType: contentTypeOf(path) };
}

/** Hashes a stream; tells of each chunk. */
export async function hashStream(
  chunks: AsyncIterable<Uint8Array>,
  told: (sizeBytes: number) => void,
): Promise<{ readonly digest: Digest; readonly sizeBytes: number }> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const chunk of chunks) {
    hash.update(chunk);
    sizeBytes += chunk.byteLength;
    told(chunk.byteLength);
  }
  return { digest: `sha256-${hash.digest('hex')}`, sizeBytes };
}

/** Whether compressing a file may pay: what is packed already does not get smaller. */
export function compressionOf(contentType: string): Blob['compression'] {
  return PACKED.test(contentType) ? 'none' : 'try';
}

const PACKED =
  /^(?:image\/(?!svg|bmp|x-icon|vnd\.microsoft)|video\/|audio\/(?!midi|x-wav|wav)|font\/woff|application\/(?:zip|gzip|zstd|x-7z|x-xz|java-archive|epub|vnd\.openxml))/u;

/** A stream without its first bytes. */
export async function* without(
  chunks: AsyncIterable<Uint8Array>,
  firstBytes: number,
): AsyncGenerator<Uint8Array> {
  let left = firstBytes;
  for await (const chunk of chunks) {
    if (chunk.byteLength > left) yield chunk.subarray(left);
    left = Math.max(0, left - chunk.byteLength);
  }
}
