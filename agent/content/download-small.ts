import type { Clock } from '../../runtime/clock.ts';
import type { BlobSource } from '../../runtime/content/blob-source.ts';
import { blobPath, type Digest, digestOf } from '../../runtime/content/digest.ts';
import {
  BATCH_BYTES_MAX,
  BatchReader,
  NOT_YET,
  type SmallBlobs,
} from '../../runtime/content/small-blobs.ts';
import { withDeadline } from '../../runtime/deadline.ts';
import type { Disk } from '../../runtime/disk/disk.ts';
import { SpareMemory } from '../../runtime/spare-memory.ts';
import { watched } from '../watched.ts';
import { BLOB_STALL_MS_MAX, WrongBytesError } from './download.ts';

export interface SmallBlob {
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/**
 * Of one blob; undefined: it is here, whole, verified and durable; `later`: who was asked will have
 * it, and has not yet.
 */
export type SmallOutcome = Error | 'later' | undefined;

export interface SmallDownloadOptions {
  readonly disk: Disk;
  readonly source: Pick<BlobSource, 'fetchSmall'>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Batches whose memory is kept for the next ones. */
const SPARE_MAX = 3;

/**
 * Brings small blobs to this disk by one question to a source. What was gathered for them is used
 * again for the next ones, and goes with `forget`.
 */
export class SmallDownloads {
  #memory = newMemory();

  /**
   * Gives what became of each, in their order; of none of them a part is kept. `unknown`: the source
   * wants to be asked for one by one.
   */
  async fetch(
    wanted: readonly SmallBlob[],
    options: SmallDownloadOptions,
  ): Promise<readonly SmallOutcome[] | 'unknown'> {
    const { source, clock, signal } = options;
    const digests = wanted.map(({ digest }) => digest);
    const late = `fetch ${digests.length} blobs: no answer`;
    const over = new AbortController();
    const scope = AbortSignal.any([signal, over.signal]);
    const pool = this.#memory;
    const memory = pool.take();
    const batch = new Batch(wanted, new BatchReader(memory), options.disk);
    try {
      const answer = await withDeadline(
        // The signal of the deadline ends with it, and the pieces come later.
        async () => (await source.fetchSmall?.(digests, scope)) ?? 'unknown',
        { clock, ms: BLOB_STALL_MS_MAX, signal, late },
      );
      if (answer === 'unknown') return answer;
      const pieces = { clock, ms: BLOB_STALL_MS_MAX, signal: scope };
      await batch.receive(answer, (given) =>
        watched(given, { ...pieces, late: `fetch ${digests.length} blobs: not a byte` }),
      );
    } catch (error) {
      batch.fail(error instanceof Error ? error : new Error(String(error)));
    } finally {
      over.abort(new Error('the answer is over'));
      // Only once nothing is written from it any more.
      await batch.written();
      pool.giveBack(memory);
    }
    return batch.outcomes();
  }

  /** Nothing is fetched for now. */
  forget(): void {
    this.#memory = newMemory();
  }
}

function newMemory(): SpareMemory {
  return new SpareMemory({ sizeBytes: BATCH_BYTES_MAX, spareMax: SPARE_MAX });
}

/** One question, and what came of it by now. */
class Batch {
  readonly #wanted: readonly SmallBlob[];
  readonly #reader: BatchReader;
  readonly #disk: Disk;
  readonly #writes: Promise<SmallOutcome>[] = [];
  #failure: Error | undefined;

  constructor(wanted: readonly SmallBlob[], reader: BatchReader, disk: Disk) {
    this.#wanted = wanted;
    this.#reader = reader;
    this.#disk = disk;
  }

  async receive(
    { heads, pieces }: SmallBlobs,
    guarded: (pieces: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>,
  ): Promise<void> {
    // Of a source that says another size, what follows cannot be told apart either.
    const strange = this.#wanted.find(({ sizeBytes }, index) => {
      const head = heads[index];
      return typeof head === 'number' && head !== sizeBytes;
    });
    if (heads.length !== this.#wanted.length || strange !== undefined)
      throw new WrongBytesError(`fetch ${strange?.digest}: it has another size there`);
    this.#store(heads);
    for await (const piece of guarded(pieces)) {
      if (this.#writes.length === this.#wanted.length && piece.length > 0)
        throw new WrongBytesError('more came than was said');
      this.#reader.add(piece);
      this.#store(heads);
    }
    if (this.#writes.length < this.#wanted.length) throw new Error('the answer was cut short');
  }

  /** Whatever has not come by now does not come. */
  fail(error: Error): void {
    this.#failure = error;
  }

  async written(): Promise<void> {
    await Promise.all(this.#writes);
  }

  async outcomes(): Promise<readonly SmallOutcome[]> {
    const ended = await Promise.all(this.#writes);
    return this.#wanted.map((_, index) => (index < ended.length ? ended[index] : this.#failure));
  }

  /** Those of which all bytes are there. */
  #store(heads: SmallBlobs['heads']): void {
    while (this.#writes.length < this.#wanted.length) {
      const index = this.#writes.length;
      const head = heads[index] ?? 'NOT_FOUND';
      const { digest } = this.#wanted[index] ?? { digest: undefined };
      if (digest === undefined) return;
      if (typeof head === 'string') {
        const outcome = head === NOT_YET ? 'later' : new Error(`fetch ${digest}: ${head}`);
        this.#writes.push(Promise.resolve(outcome));
        continue;
      }
      const bytes = this.#reader.take(head);
      if (bytes === undefined) return;
      this.#writes.push(this.#verifyAndWrite(digest, bytes));
    }
  }

  async #verifyAndWrite(digest: Digest, bytes: Uint8Array): Promise<SmallOutcome> {
    const found = digestOf(bytes);
    if (found !== digest)
      return new WrongBytesError(`fetch ${digest}: got ${bytes.byteLength} bytes of ${found}`);
    try {
      await this.#disk.write(blobPath(digest), bytes);
      return undefined;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }
}
