import { lineTimeMs } from '../../runtime/access-log/read-line.ts';
import type { Disk } from '../../runtime/disk/disk.ts';

export interface LogLimits {
  /** A file that is as long makes way for a new one. */
  readonly fileBytesMax: number;
  /** Files of one site that made way. */
  readonly rotatedMax: number;
  /** Of all sites together. */
  readonly totalBytesMax: number;
}

const MEBIBYTE = 1024 * 1024;

export const LOG_LIMITS: LogLimits = {
  fileBytesMax: 16 * MEBIBYTE,
  rotatedMax: 4,
  totalBytesMax: 512 * MEBIBYTE,
};

/** For so many MiB of all sites together: no file is so long that it would be all there is. */
export function logLimitsFor(totalMib: number): LogLimits {
  const totalBytesMax = totalMib * MEBIBYTE;
  const fileBytesMax = Math.min(LOG_LIMITS.fileBytesMax, Math.ceil(totalBytesMax / 8));
  return { ...LOG_LIMITS, totalBytesMax, fileBytesMax };
}

/** Whose lines they are. */
export interface LogOwner {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
}

export interface Wanted {
  /** The newest so many. */
  readonly linesMax: number;
  /** None that are older, milliseconds since 1970 UTC. */
  readonly sinceMs: number;
}

/** What is read to find the newest lines of a site, at most. */
export const READ_BYTES_MAX = 4 * MEBIBYTE;
const FIRST_READ_BYTES = 64 * 1024;
const FOLDER = 'logs/access';

/** Of the file that lines are added to; older ones have `.1`, `.2` and so on behind it. */
export function logPath({ uid, namespace, name }: LogOwner): string {
  // A new Site of an old name is another one, and has files of its own.
  return `${FOLDER}/${namespace}/${name}.${uid.slice(0, 8)}.log`;
}

/**
 * The access logs on this node's disk, a file for each site. To be asked one thing at a time.
 *
 * Guarantees: they take a bounded room: of one site so many files, and of all sites together so
 * many bytes, of which the site with most gives its oldest. A line is whole, or the last one of a
 * file before a power cut.
 * Errors: a full or failing disk throws.
 */
export class LogFiles {
  readonly #disk: Disk;
  readonly #limits: LogLimits;
  /** Of all files, by path; undefined: nobody has looked yet. */
  #sizes: Map<string, number> | undefined;
  /** Of which the last line is known to have an end. */
  readonly #ended = new Set<string>();

  constructor(disk: Disk, limits: LogLimits = LOG_LIMITS) {
    this.#disk = disk;
    this.#limits = limits;
  }

  async append(owner: LogOwner, text: string): Promise<void> {
    const sizes = await this.#load();
    const path = logPath(owner);
    const bytes = Buffer.from(text);
    if ((sizes.get(path) ?? 0) + bytes.length > this.#limits.fileBytesMax) await this.#rotate(path);
    const start = (await this.#isEnded(path)) ? bytes : Buffer.concat([LINE_END, bytes]);
    // What becomes of it is not known until it is done.
    this.#ended.delete(path);
    await this.#disk.append(path, start);
    this.#ended.add(path);
    sizes.set(path, (sizes.get(path) ?? 0) + start.length);
    await this.#makeRoom(sizes);
  }

  /** Removes the files of all others. */
  async keepOnly(owners: readonly LogOwner[]): Promise<void> {
    const sizes = await this.#load();
    const kept = new Set(owners.map(logPath));
    for (const path of [...sizes.keys()].toSorted())
      if (!kept.has(basePath(path))) await this.#remove(path, sizes);
  }

  /** The newest last. */
  async last(owner: LogOwner, { linesMax, sinceMs }: Wanted): Promise<readonly string[]> {
    const sizes = await this.#load();
    let lines: readonly string[] = [];
    let leftBytes = READ_BYTES_MAX;
    for (const path of [logPath(owner), ...this.#rotated(logPath(owner))]) {
      const sizeBytes = sizes.get(path);
      if (sizeBytes === undefined || leftBytes <= 0) break;
      const wanted = { linesMax: linesMax - lines.length, sinceMs, leftBytes };
      const read = await this.#lastOf(path, sizeBytes, wanted);
      lines = [...read.lines, ...lines];
      leftBytes -= read.bytes;
      if (read.ending === 'enough') break;
    }
    return lines;
  }

  /** Reads from the end, twice as much as before as long as that is not enough. */
  async #lastOf(
    path: string,
    sizeBytes: number,
    { linesMax, sinceMs, leftBytes }: Wanted & { readonly leftBytes: number },
  ): Promise<{
    readonly lines: readonly string[];
    readonly bytes: number;
    readonly ending: 'enough' | 'all';
  }> {
    const mostBytes = Math.min(sizeBytes, leftBytes);
    for (let bytes = FIRST_READ_BYTES; ; bytes *= 2) {
      const start = sizeBytes - Math.min(bytes, mostBytes);
      const all = await this.#linesFrom(path, start, sizeBytes);
      const young = all.filter((line) => (lineTimeMs(line) ?? 0) >= sinceMs);
      const lines = linesMax > 0 ? young.slice(-linesMax) : [];
      const isEnough = young.length >= linesMax || young.length < all.length;
      if (isEnough) return { lines, bytes: sizeBytes - start, ending: 'enough' };
      if (bytes >= mostBytes) return { lines, bytes: sizeBytes - start, ending: 'all' };
    }
  }

  async #linesFrom(path: string, start: number, end: number): Promise<readonly string[]> {
    const pieces: Uint8Array[] = [];
    // Whatever has been added since then is not looked at.
    for await (const piece of this.#disk.stream(path, { start, end })) pieces.push(piece);
    const lines = Buffer.concat(pieces).toString('latin1').split('\n');
    // The first one may have begun before, and behind the last end there is nothing.
    const whole = lines.slice(start > 0 ? 1 : 0, -1);
    return whole.filter((line) => line !== '');
  }

  async #isEnded(path: string): Promise<boolean> {
    if (this.#ended.has(path)) return true;
    const entry = await this.#disk.stat(path);
    if (entry === undefined || entry.sizeBytes === 0) return true;
    const { sizeBytes } = entry;
    this.#sizes?.set(path, sizeBytes);
    for await (const piece of this.#disk.stream(path, { start: sizeBytes - 1, end: sizeBytes }))
      return piece[0] === LINE_END[0];
    return true;
  }

  async #rotate(path: string): Promise<void> {
    const sizes = await this.#load();
    if (!sizes.has(path)) return;
    const names = [path, ...this.#rotated(path)];
    for (const [index, from] of [...names.entries()].toReversed()) {
      const sizeBytes = sizes.get(from);
      if (sizeBytes === undefined) continue;
      const to = names[index + 1];
      if (to === undefined) {
        await this.#remove(from, sizes);
        continue;
      }
      await this.#disk.rename(from, to);
      sizes.delete(from);
      sizes.set(to, sizeBytes);
    }
    this.#ended.delete(path);
  }

  /** The youngest first. */
  #rotated(path: string): readonly string[] {
    return Array.from({ length: this.#limits.rotatedMax }, (_, index) => `${path}.${index + 1}`);
  }

  async #makeRoom(sizes: Map<string, number>): Promise<void> {
    while (sum(sizes.values()) > this.#limits.totalBytesMax) {
      const files = Map.groupBy(sizes.keys(), basePath);
      const [most = []] = [...files.values()].toSorted(
        (one, other) => total(other, sizes) - total(one, sizes) || (other < one ? 1 : -1),
      );
      const oldest = most.toSorted((one, other) => ageOf(other) - ageOf(one))[0];
      if (oldest === undefined) return;
      await this.#remove(oldest, sizes);
    }
  }

  async #remove(path: string, sizes: Map<string, number>): Promise<void> {
    await this.#disk.remove(path);
    sizes.delete(path);
    this.#ended.delete(path);
  }

  async #load(): Promise<Map<string, number>> {
    if (this.#sizes !== undefined) return this.#sizes;
    const sizes = new Map<string, number>();
    for (const folder of await this.#disk.list(FOLDER)) {
      if (folder.kind !== 'folder') continue;
      for (const { name, kind, sizeBytes } of await this.#disk.list(`${FOLDER}/${folder.name}`))
        if (kind === 'file') sizes.set(`${FOLDER}/${folder.name}/${name}`, sizeBytes);
    }
    this.#sizes = sizes;
    return sizes;
  }
}

const LINE_END = Buffer.from('\n');

function basePath(path: string): string {
  return path.replace(/\.\d+$/, '');
}

/** 0: lines are added to it. */
function ageOf(path: string): number {
  return Number(/\.(\d+)$/.exec(path)?.[1] ?? 0);
}

function total(paths: readonly string[], sizes: ReadonlyMap<string, number>): number {
  return sum(paths.map((path) => sizes.get(path) ?? 0));
}

function sum(numbers: Iterable<number>): number {
  let all = 0;
  for (const each of numbers) all += each;
  return all;
}
