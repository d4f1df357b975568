import type { BlobShelf } from '../../runtime/content/blob-shelf.ts';
import type { Compressor } from '../../runtime/content/compressor.ts';
import { CONTENT_CODINGS } from '../../runtime/content/content-coding.ts';
import { type Digest, digestOf } from '../../runtime/content/digest.ts';
import {
  encodeVariants,
  parseVariants,
  type Variant,
  type Variants,
} from '../../runtime/content/variants.ts';
import { isKept, isUsable, savedBytes } from './plan.ts';

export interface DraftPorts {
  readonly blobs: BlobShelf;
  readonly compressor: Compressor;
}

/** What a release's status says of its forms. */
export interface Progress {
  readonly index: string;
  readonly done: number;
  readonly total: number;
  readonly savedBytes: number;
}

/**
 * The index of a release in the making: first the files that are known from an index before, with
 * their forms still here, then those that are compressed now. A file that cannot be read is left
 * out, and holds up no other.
 */
export class Draft {
  readonly #ports: DraftPorts;
  readonly #sources: ReadonlyMap<Digest, number>;
  readonly #known: Variants;
  readonly #waiting: Iterator<[Digest, number]>;
  readonly #done = new Map<Digest, readonly Variant[]>();
  #failed = 0;
  #knownLeft: number;
  #leftBytes: number;
  #isOver = false;

  constructor(ports: DraftPorts, sources: ReadonlyMap<Digest, number>, known: Variants) {
    this.#ports = ports;
    this.#sources = sources;
    this.#known = known;
    const inOrder = [...sources].toSorted(
      ([one], [other]) => Number(known.has(other)) - Number(known.has(one)),
    );
    this.#waiting = inOrder.values();
    this.#knownLeft = inOrder.filter(([source]) => known.has(source)).length;
    this.#leftBytes = inOrder.reduce((sum, [, sizeBytes]) => sum + sizeBytes, 0);
  }

  /** All that is known was looked at, and so many bytes are left to be compressed. */
  get unknownBytes(): number | undefined {
    return this.#knownLeft > 0 ? undefined : this.#leftBytes;
  }

  /** Files that could not be read, or not be compressed. */
  get failed(): number {
    return this.#failed;
  }

  get done(): number {
    return this.#done.size;
  }

  get total(): number {
    return this.#sources.size;
  }

  /** Looks at the next file; `over`: there is none left. */
  async step(): Promise<'more' | 'over'> {
    const next = this.#isOver ? undefined : this.#waiting.next();
    if (next === undefined || next.done === true) {
      this.#isOver = true;
      return 'over';
    }
    const [source, sizeBytes] = next.value;
    this.#leftBytes -= sizeBytes;
    this.#knownLeft -= this.#known.has(source) ? 1 : 0;
    await this.#add(source, sizeBytes);
    return 'more';
  }

  /**
   * Writes down what there is by now, as a blob. Until it is noted nobody knows that the forms are
   * used: one that was cleared away since it was made is made again.
   */
  async put(): Promise<Progress> {
    for (const [source, forms] of this.#done)
      if (!(await this.#areHere(forms))) await this.#add(source, this.#sources.get(source) ?? 0);
    const bytes = encodeVariants(this.#done);
    const index = digestOf(bytes);
    if ((await this.#ports.blobs.sizeOf(index)) === undefined) await this.#put(index, bytes);
    return {
      ...{ index, done: this.#done.size, total: this.#sources.size },
      savedBytes: savedBytes(this.#done, this.#sources),
    };
  }

  async #add(source: Digest, sizeBytes: number): Promise<void> {
    this.#done.delete(source);
    try {
      this.#done.set(source, await this.#formsOf(source, sizeBytes));
    } catch {
      // Rotten, gone or misread: the shelf says so to whoever needs it. It is tried again later.
      this.#failed += 1;
    }
  }

  async #formsOf(source: Digest, sizeBytes: number): Promise<readonly Variant[]> {
    const known = this.#known.get(source);
    if (known !== undefined && isUsable(known, sizeBytes) && (await this.#areHere(known)))
      return known;
    const bytes = await this.#ports.blobs.read(source);
    const forms = await Promise.all(
      CONTENT_CODINGS.map(async (coding): Promise<readonly Variant[]> => {
        const form = await this.#ports.compressor.compress(coding, bytes);
        if (!isKept(sizeBytes, form.length)) return [];
        const digest = digestOf(form);
        await this.#put(digest, form);
        return [{ coding, digest, sizeBytes: form.length }];
      }),
    );
    return forms.flat();
  }

  async #areHere(forms: readonly Variant[]): Promise<boolean> {
    for (const { digest, sizeBytes } of forms)
      if ((await this.#ports.blobs.sizeOf(digest)) !== sizeBytes) return false;
    return true;
  }

  #put(digest: Digest, bytes: Uint8Array): Promise<void> {
    return this.#ports.blobs.put(
      digest,
      (async function* () {
        yield bytes;
      })(),
    );
  }
}

/** What some of these indexes say; of a file that several name, the first. */
export async function readIndexes(
  blobs: BlobShelf,
  indexes: readonly string[],
  sources: ReadonlyMap<Digest, number>,
): Promise<Variants> {
  const known = new Map<Digest, readonly Variant[]>();
  for (const index of indexes) {
    if (known.size === sources.size) break;
    const variants = await readIndex(blobs, index);
    for (const [source, forms] of variants)
      if (sources.has(source) && !known.has(source)) known.set(source, forms);
  }
  return known;
}

/** One that is not here, or cannot be read, knows nothing: all is compressed anew. */
async function readIndex(blobs: BlobShelf, index: string): Promise<Variants> {
  try {
    return parseVariants(await blobs.read(index));
  } catch {
    return new Map();
  }
}
