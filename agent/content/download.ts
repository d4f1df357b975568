import { createHash } from 'node:crypto';
import type { Clock } from '../../runtime/clock.ts';
import { BlobOffsetError, type BlobSource } from '../../runtime/content/blob-source.ts';
import { blobPath, type Digest, partPath } from '../../runtime/content/digest.ts';
import { MANIFEST_BYTES_MAX } from '../../runtime/content/manifest.ts';
import type { Disk } from '../../runtime/disk/disk.ts';
import { watched } from '../watched.ts';

/** A source that gives nothing for this long is taken for dead. */
export const BLOB_STALL_MS_MAX = 30_000;
/** What a crash may cost: bytes are written in steps of this size. */
const WRITE_BYTES = 1024 * 1024;

export interface DownloadOptions {
  readonly disk: Disk;
  readonly source: BlobSource;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** What came is not the blob. */
export class WrongBytesError extends Error {
  override readonly name = 'WrongBytesError';
}

/**
 * Brings one blob to this disk, going on from what an earlier try left in `partial/`. The blob
 * appears at its place only once it is whole, verified and durable. Gives its size in bytes.
 *
 * Errors: a stream that breaks or stalls keeps the part for the next try; bytes with another
 * digest, or too many of them, are thrown away.
 */
export async function downloadBlob(
  wanted: { readonly digest: Digest; readonly sizeBytes: number | undefined },
  options: DownloadOptions,
): Promise<number> {
  const { digest, sizeBytes } = wanted;
  const { disk } = options;
  const part = await Part.open(disk, partPath(digest));
  if (part.sizeBytes !== sizeBytes) {
    await receive(part, wanted, options);
  }
  if (sizeBytes !== undefined && part.sizeBytes < sizeBytes) {
    throw new WrongBytesError(
      `fetch ${digest}: ended after ${part.sizeBytes} of ${sizeBytes} bytes`,
    );
  }
  const found = part.digest();
  if (found !== digest || (sizeBytes !== undefined && part.sizeBytes > sizeBytes)) {
    await part.discard();
    throw new WrongBytesError(`fetch ${digest}: got ${part.sizeBytes} bytes of ${found}`);
  }
  await part.finish(blobPath(digest));
  return part.sizeBytes;
}

async function receive(
  part: Part,
  { digest, sizeBytes = MANIFEST_BYTES_MAX }: Parameters<typeof downloadBlob>[0],
  { source, clock, signal }: DownloadOptions,
): Promise<void> {
  const over = new AbortController();
  const scope = AbortSignal.any([signal, over.signal]);
  const options = {
    clock,
    ms: BLOB_STALL_MS_MAX,
    signal: scope,
    late: `fetch ${digest}: not a byte`,
  };
  try {
    for await (const piece of watched(source.fetch(digest, part.sizeBytes, scope), options)) {
      await part.add(piece);
      if (part.sizeBytes > sizeBytes) break;
    }
  } catch (error) {
    // What is here is more than the blob: no later try could go on from it either.
    if (error instanceof BlobOffsetError) await part.discard();
    else await part.flush();
    throw error;
  } finally {
    over.abort(new Error(`fetch ${digest}: over`));
  }
}

/**
 * The beginning of a blob, with the hash of what is there. It gets a file in `partial/` only when
 * it grows large or breaks off: most blobs are small, and go straight to their place.
 */
class Part {
  readonly #disk: Disk;
  readonly #path: string;
  readonly #hash = createHash('sha256');
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #place: 'memory' | 'disk' = 'memory';
  /** Of all that was added, written or not. */
  sizeBytes = 0;

  private constructor(disk: Disk, path: string) {
    this.#disk = disk;
    this.#path = path;
  }

  /** Reads again what an earlier try left, for the hash. */
  static async open(disk: Disk, path: string): Promise<Part> {
    const part = new Part(disk, path);
    if ((await disk.stat(path)) === undefined) return part;
    part.#place = 'disk';
    for await (const piece of disk.stream(path, { memory: 'one piece' })) {
      part.#hash.update(piece);
      part.sizeBytes += piece.length;
    }
    return part;
  }

  async add(piece: Uint8Array): Promise<void> {
    this.#hash.update(piece);
    this.sizeBytes += piece.length;
    this.#pending.push(piece);
    this.#pendingBytes += piece.length;
    if (this.#pendingBytes >= WRITE_BYTES) await this.flush();
  }

  async flush(): Promise<void> {
    if (this.#pendingBytes === 0) return;
    const bytes = Buffer.concat(this.#pending);
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#place = 'disk';
    await this.#disk.append(this.#path, bytes);
  }

  /** Moves it to where a whole blob lies, durably. */
  async finish(blob: string): Promise<void> {
    if (this.#place === 'memory') return this.#disk.write(blob, Buffer.concat(this.#pending));
    await this.flush();
    await this.#disk.sync(this.#path);
    await this.#disk.rename(this.#path, blob);
  }

  async discard(): Promise<void> {
    await this.#disk.remove(this.#path);
  }

  digest(): string {
    return `sha256-${this.#hash.copy().digest('hex')}`;
  }
}
