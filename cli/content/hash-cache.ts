import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import type { Clock } from '../../runtime/clock.ts';
import { type Digest, isDigest } from '../../runtime/content/digest.ts';
import type { FileStamp, Files } from '../../runtime/disk/files.ts';

/**
 * A file that was changed this short before it was read may be changed again without a trace: file
 * systems tell times apart by up to 2 s (FAT). Git calls such entries racily clean.
 */
const RACY_MS = 2000;

/** So many folders are remembered; of two that share a place, the one published last is. */
const PLACES = 64;

const HEAD = 'b8s-hashes 1';
const LINE = /^(?<digest>sha256-[0-9a-f]{64}) (?<stamp>[0-9-]+) (?<path>.+)$/u;

/**
 * What the files of a folder hashed to when it was last published.
 *
 * Guarantees: an answer is given only for a file of which name, size, both times, inode and device
 * are as they were, and only if it had not been changed for RACY_MS when it was read.
 * Assumptions: clocks do not go backwards over a file's own times; who writes to the user's cache
 * folder is the user.
 * Caveats: a cache that cannot be read is empty; one that cannot be written is not.
 */
export class HashCache {
  readonly #known: ReadonlyMap<string, string>;
  readonly #lines: string[] = [];
  readonly #clock: Clock;
  #isNew = false;

  private constructor(known: ReadonlyMap<string, string>, clock: Clock) {
    this.#known = known;
    this.#clock = clock;
  }

  static async load(files: Files, place: Place | undefined, clock: Clock): Promise<HashCache> {
    const text =
      place === undefined ? undefined : await files.readText(place.path).catch(() => undefined);
    const [head, root, ...lines] = text?.split('\n') ?? [];
    const isOurs = head === HEAD && root === place?.root;
    return new HashCache(new Map(isOurs ? lines.flatMap(entryOf) : []), clock);
  }

  /** When a file is about to be read. */
  nowMs(): number {
    return this.#clock.nowMs();
  }

  get(path: string, { text, changedMs }: FileStamp): Digest | undefined {
    const digest = this.#known.get(keyOf(path, text));
    if (digest === undefined || !isDigest(digest)) return undefined;
    // It was believed when it was noted; it is noted again without being read again.
    this.#note(path, text, digest);
    return changedMs <= this.#clock.nowMs() ? digest : undefined;
  }

  /** `readMs`: when reading it began. */
  put(
    path: string,
    { text, changedMs }: FileStamp,
    read: { digest: Digest; readMs: number },
  ): void {
    this.#isNew = true;
    if (changedMs + RACY_MS < read.readMs) this.#note(path, text, read.digest);
  }

  /** Keeps what this run has seen, in place of what was known. */
  async save(files: Files, place: Place | undefined): Promise<void> {
    if (place === undefined || (!this.#isNew && this.#lines.length === this.#known.size)) return;
    const text = [HEAD, place.root, ...this.#lines, ''].join('\n');
    await files.writeText(place.path, text).catch(() => undefined);
  }

  #note(path: string, stamp: string, digest: Digest): void {
    this.#lines.push(`${digest} ${stamp} ${path}`);
  }
}

/** Where the hashes of a folder are kept. */
export interface Place {
  readonly path: string;
  /** The folder, by its one name. */
  readonly root: string;
}

/** Undefined: nothing is remembered. */
export async function placeOf(
  files: Files,
  folder: string,
  cacheFolder: string | undefined,
): Promise<Place | undefined> {
  if (cacheFolder === undefined) return undefined;
  const root = await files.realPath(folder);
  if (root.includes('\n')) return undefined;
  const place = (createHash('sha256').update(root).digest()[0] ?? 0) % PLACES;
  return { path: posix.join(cacheFolder, `hashes-${place}`), root };
}

function entryOf(line: string): readonly (readonly [string, string])[] {
  const { digest, stamp, path } = LINE.exec(line)?.groups ?? {};
  if (digest === undefined || stamp === undefined || path === undefined) return [];
  return [[keyOf(path, stamp), digest]];
}

function keyOf(path: string, stamp: string): string {
  return `${stamp} ${path}`;
}
