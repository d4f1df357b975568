import { createHash, type Hash } from 'node:crypto';
import type { BlobShelf, BlobStock } from '../../runtime/content/blob-shelf.ts';
import { blobPath, type Digest, digestOf, isDigest } from '../../runtime/content/digest.ts';
import { BATCH_BYTES_MAX, type SmallBlobHead } from '../../runtime/content/small-blobs.ts';
import type { Disk } from '../../runtime/disk/disk.ts';
import type { Random } from '../../runtime/random.ts';
import { RequestError } from '../../runtime/request-error.ts';
import { SpareMemory } from '../../runtime/spare-memory.ts';
import { Asked } from './asked.ts';
import { Partials } from './partials.ts';
import { gathered, preceded } from './pieces.ts';

/** The largest file that a site may hold. */
export const BLOB_BYTES_MAX = 4 * 1024 * 1024 * 1024;
/** Uploads are gathered to pieces of this size before they are written. */
const WRITE_BYTES = 1024 * 1024;
/** Blobs up to this size are read at once: most files are, and a stream takes much more work. */
const READ_BYTES_MAX = 256 * 1024;
/** Answers whose memory is kept for the next ones: 8 MiB. */
const SPARE_MAX = 16;
/** As many streams as a b8sctl sends: 4 MiB. */
const WRITTEN_SPARE_MAX = 4;
/** Of a cut upload, less than this is not worth to be kept. */
const KEPT_BYTES_MIN = 4 * 1024 * 1024;

/**
 * Content by digest, on dom's disk.
 *
 * Guarantees: what is stored was whole, and its bytes hashed to its name; a cut upload leaves
 * nothing that counts, but the beginning of a large blob for the next upload to go on with. A blob
 * that has rotted since is noticed as it is read, and thrown away: it is missing from then on, so that
 * whoever pushes it again is asked for it.
 * Caveats: of a large blob the bytes are out before the end shows that they are wrong; nodes verify
 * what they fetch.
 * Errors: INVALID_ARGUMENT for a digest that is none or bytes that do not fit it, NOT_FOUND for a
 * blob that is not there, or not any more, ABORTED for an upload that goes on with what is not here.
 */
export class Blobs implements BlobShelf, BlobStock {
  readonly parts = 256;
  /** For the answers to nodes that ask for several blobs: each has about this size, and is short-lived. */
  readonly memory = new SpareMemory({ sizeBytes: BATCH_BYTES_MAX, spareMax: SPARE_MAX });
  readonly #written = new SpareMemory({ sizeBytes: WRITE_BYTES, spareMax: WRITTEN_SPARE_MAX });
  readonly #disk: Disk;
  readonly #random: Random;
  readonly #partials: Partials;
  readonly #asked = new Asked();

  constructor(disk: Disk, random: Random) {
    this.#disk = disk;
    this.#random = random;
    this.#partials = new Partials(disk);
  }

  async has(digest: string): Promise<boolean> {
    return (await this.sizeOf(digest)) !== undefined;
  }

  /** In bytes; undefined: it is not here. */
  async sizeOf(digest: string): Promise<number | undefined> {
    const path = pathOf(digest);
    // Before the look: what is found from now on must stay.
    await this.#asked.about(digest);
    return (await this.#disk.stat(path))?.sizeBytes;
  }

  /** Of a blob that is missing: how many bytes, from its first on, an upload may leave out. */
  heldBytes(digest: string): Promise<number> {
    return this.#partials.heldBytes(digest);
  }

  /** The whole blob, for small ones. */
  async read(digest: string): Promise<Uint8Array> {
    const bytes = await this.#disk.read(pathOf(digest));
    if (bytes === undefined) throw missing(digest);
    if (digestOf(bytes) === digest) return bytes;
    return this.#refuseDamaged(digest);
  }

  /**
   * A small blob into this memory: how many bytes it is, or that it is missing (`NOT_FOUND`) or does
   * not fit (`TOO_LARGE`).
   */
  async readInto(digest: Digest, memory: Uint8Array): Promise<SmallBlobHead> {
    const sizeBytes = await this.#disk.readInto(blobPath(digest), memory);
    if (sizeBytes === undefined) return 'NOT_FOUND';
    if (sizeBytes === 'too long') return 'TOO_LARGE';
    if (digestOf(memory.subarray(0, sizeBytes)) === digest) return sizeBytes;
    try {
      return await this.#refuseDamaged(digest);
    } catch (error) {
      // The others are not to suffer from it.
      if (error instanceof RequestError) return error.code;
      throw error;
    }
  }

  /** Its size, and its bytes from `offsetBytes` on. */
  async open(
    digest: string,
    offsetBytes: number,
  ): Promise<{ readonly sizeBytes: number; readonly chunks: AsyncIterable<Uint8Array> }> {
    const entry = await this.#disk.stat(pathOf(digest));
    if (entry === undefined) throw missing(digest);
    if (offsetBytes > entry.sizeBytes)
      throw new RequestError('OUT_OF_RANGE', `${digest} ends before byte ${offsetBytes}`);
    const chunks =
      entry.sizeBytes <= READ_BYTES_MAX
        ? this.#readFrom(digest, offsetBytes)
        : this.#stream(digest, offsetBytes);
    return { sizeBytes: entry.sizeBytes, chunks };
  }

  /**
   * Stores what `chunks` give behind the `offsetBytes` that are here, if the whole is what `digest`
   * says; durable when it resolves.
   */
  async put(
    digest: string,
    chunks: AsyncIterable<Uint8Array>,
    { offsetBytes = 0 }: { readonly offsetBytes?: number } = {},
  ): Promise<void> {
    refuseNoDigest(digest);
    // One that is being removed must not go under the name of the new one.
    await this.#asked.about(digest);
    const memory = this.#written.take();
    try {
      const pieces = gathered(chunks, memory);
      if (offsetBytes > 0) return await this.#putLarge(digest, pieces, { offsetBytes });
      const first = await pieces.next();
      const bytes = first.done === true ? new Uint8Array() : first.value;
      if (bytes.byteLength >= WRITE_BYTES)
        return await this.#putLarge(digest, preceded(bytes, pieces), { offsetBytes });
      // All of it, for a smaller piece is the last one.
      return await this.putWhole(digest, bytes);
    } finally {
      this.#written.giveBack(memory);
    }
  }

  /** A blob of which all is here: most files take this short way. Else as `put`. */
  async putWhole(digest: string, bytes: Uint8Array): Promise<void> {
    const path = pathOf(digest);
    refuseOthers(digest, digestOf(bytes));
    await this.#asked.about(digest);
    await this.#disk.write(path, bytes);
  }

  async list(part: number): Promise<readonly Digest[]> {
    const folder = part.toString(16).padStart(2, '0');
    const entries = await this.#disk.list(`blobs/sha256/${folder}`);
    const digests = entries.map(({ name }) => `sha256-${name}`).filter(isDigest);
    return digests.filter((digest) => blobPath(digest).split('/').at(-2) === folder);
  }

  async look(digest: string, sizeBytesMax: number): Promise<Uint8Array | 'missing' | 'too long'> {
    const entry = await this.#disk.stat(pathOf(digest));
    if (entry === undefined) return 'missing';
    if (entry.sizeBytes > sizeBytesMax) return 'too long';
    try {
      return await this.read(digest);
    } catch (error) {
      if (error instanceof RequestError && error.code === 'NOT_FOUND') return 'missing';
      throw error;
    }
  }

  takeAsked(): ReadonlySet<string> | 'all' {
    return this.#asked.take();
  }

  discard(digest: Digest): Promise<'discarded' | 'asked'> {
    return this.#asked.unlessAsked(digest, () => this.#disk.remove(pathOf(digest)));
  }

  async #putLarge(
    digest: string,
    pieces: AsyncIterator<Uint8Array>,
    { offsetBytes }: { readonly offsetBytes: number },
  ): Promise<void> {
    const claimed = this.#partials.claim(digest);
    const part = claimed ?? this.#partOf(digest);
    const progress: Progress = { hash: createHash('sha256'), sizeBytes: 0, phase: 'storing' };
    try {
      if (offsetBytes > 0) await this.#resume(digest, part, { offsetBytes, progress });
      else await this.#disk.remove(part);
      await this.#append(digest, pieces, { part, progress });
      refuseOthers(digest, nameOf(progress.hash));
      await this.#disk.sync(part);
      await this.#asked.about(digest);
      await this.#disk.rename(part, pathOf(digest));
    } finally {
      await pieces.return?.();
      const isKept = progress.phase === 'waiting' && progress.sizeBytes >= KEPT_BYTES_MIN;
      if (claimed === undefined) await this.#disk.remove(part);
      else if (isKept) await this.#partials.leave(digest);
      else await this.#partials.drop(digest);
    }
  }

  /** Takes in again what is here of a blob. */
  async #resume(
    digest: string,
    part: string,
    { offsetBytes, progress }: { readonly offsetBytes: number; readonly progress: Progress },
  ): Promise<void> {
    const heldBytes = (await this.#disk.stat(part))?.sizeBytes ?? 0;
    if (heldBytes === offsetBytes) {
      for await (const piece of this.#disk.stream(part, { memory: 'one piece' })) {
        progress.hash.update(piece);
        progress.sizeBytes += piece.byteLength;
      }
      return;
    }
    // It stays for whoever knows better.
    progress.sizeBytes = heldBytes;
    progress.phase = 'waiting';
    throw new RequestError('ABORTED', `of ${digest} dom holds ${heldBytes} bytes: begin anew`);
  }

  async #append(
    digest: string,
    pieces: AsyncIterator<Uint8Array>,
    { part, progress }: { readonly part: string; readonly progress: Progress },
  ): Promise<void> {
    for (;;) {
      progress.phase = 'waiting';
      const { done, value } = await pieces.next();
      progress.phase = 'storing';
      if (done === true) return;
      if (progress.sizeBytes + value.byteLength > BLOB_BYTES_MAX)
        throw new RequestError('INVALID_ARGUMENT', `${digest} is over ${BLOB_BYTES_MAX} bytes`);
      progress.hash.update(value);
      await this.#disk.append(part, value);
      progress.sizeBytes += value.byteLength;
    }
  }

  async *#readFrom(digest: string, offsetBytes: number): AsyncIterable<Uint8Array> {
    const bytes = await this.read(digest);
    if (offsetBytes < bytes.byteLength) yield bytes.subarray(offsetBytes);
  }

  async *#stream(digest: string, offsetBytes: number): AsyncIterable<Uint8Array> {
    const hash = createHash('sha256');
    for await (const piece of this.#disk.stream(pathOf(digest), { start: offsetBytes })) {
      hash.update(piece);
      yield piece;
    }
    // Of a tail nobody knows; who finds out that the whole is wrong begins anew, from the first byte.
    if (offsetBytes === 0 && nameOf(hash) !== digest) await this.#refuseDamaged(digest);
  }

  /**
   * A disk may misread: what is wrong twice is wrong. It is put aside and looked at once more before
   * it goes, for somebody may have pushed the blob again meanwhile.
   */
  async #refuseDamaged(digest: string): Promise<never> {
    const path = pathOf(digest);
    const misread = new Error(`read blob ${digest}: the disk misread it`);
    if ((await this.#nameOfFile(path)) === digest) throw misread;
    const aside = this.#partOf(digest);
    await this.#disk.rename(path, aside).catch(() => {
      // Whoever read it at the same time has put it aside.
      throw missing(digest);
    });
    if ((await this.#nameOfFile(aside)) === digest) {
      await this.#disk.rename(aside, path);
      throw misread;
    }
    await this.#disk.remove(aside);
    throw new RequestError('NOT_FOUND', `blob ${digest} was damaged on dom's disk: push it again`);
  }

  async #nameOfFile(path: string): Promise<string> {
    const hash = createHash('sha256');
    const pieces = this.#disk.stream(path, { memory: 'one piece' });
    for await (const piece of pieces) hash.update(piece);
    return nameOf(hash);
  }

  /** A file of its own for what is not, or no longer, sure to be the blob. */
  #partOf(digest: string): string {
    return `uploads/${digest}-${Buffer.from(this.#random.bytes(8)).toString('hex')}`;
  }

  /** Removes what uploads cut short by a crash have left. */
  async sweep(): Promise<void> {
    await this.#disk.remove('uploads');
  }
}

/** Of a large blob that is coming in: what is on the disk. */
interface Progress {
  readonly hash: Hash;
  sizeBytes: number;
  /** `waiting`: for the sender; what is here is kept if nothing more comes. */
  phase: 'waiting' | 'storing';
}

/** Where a blob lies. Throws INVALID_ARGUMENT for what is no digest. */
function pathOf(digest: string): string {
  refuseNoDigest(digest);
  return blobPath(digest);
}

function refuseNoDigest(digest: string): asserts digest is Digest {
  if (isDigest(digest)) return;
  throw new RequestError(
    'INVALID_ARGUMENT',
    `"${digest}" is no digest: it is "sha256-" and 64 hex digits`,
  );
}

function refuseOthers(digest: string, actual: string): void {
  if (actual === digest) return;
  throw new RequestError(
    'INVALID_ARGUMENT',
    `the bytes sent as ${digest} are ${actual}: the file changed while it was read, push again`,
  );
}

function nameOf(hash: Hash): string {
  return `sha256-${hash.digest('hex')}`;
}

function missing(digest: string): RequestError {
  return new RequestError('NOT_FOUND', `blob ${digest} is not here`);
}
