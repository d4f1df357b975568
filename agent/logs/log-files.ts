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
 * Errors: a full or failing disk throws. What it had done by then, the next call for that site looks
 * at; others have nothing to do with it.
 */
export class LogFiles {
  readonly #disk: Disk;
  readonly #limits: LogLimits;
  /** Of all files, by path; undefined: nobody has looked yet. */
  #sizes: Map<string, number> | undefined;
  /** Of which the last line is known to have an end. */
  readonly #ended = new Set<string>();
  /** What was begun with them did not end well: how they are now, the disk alone knows. */
  readonly #unsure = new Set<string>();

  constructor(disk: Disk, limits: LogLimits = LOG_LIMITS) {
    this.#disk = disk;
    this.#limits = limits;
  }

  async append(owner: LogOwner, text: string): Promise<void> {
    const path = logPath(owner);
    const sizes = await this.#known(path);
    const bytes = Buffer.from(text);
    if ((sizes.get(path) ?? 0) + bytes.length > this.#limits.fileBytesMax)
      await this.#rotate(path, sizes);
    const start = (await this.#isEnded(path)) ? bytes : Buffer.concat([LINE_END, bytes]);
    // What becomes of it is not known until it is done.
    this.#ended.delete(path);
    await this.#changing([path], () => this.#disk.append(path, start));
    this.#ended.add(path);
    sizes.set(path, (sizes.get(path) ?? 0) + start.length);
    await this.#makeRoom(sizes);
  }

  /** Removes the files of all others. One that cannot be removed throws once the rest is gone. */
  async keepOnly(owners: readonly LogOwner[]): Promise<void> {
    const sizes = await this.#load();
    const kept = new Set(owners.map(logPath));
    const errors: unknown[] = [];
    for (const path of [...new Set([...sizes.keys(), ...this.#unsure])].toSorted())
      if (!kept.has(basePath(path)))
        await this.#remove(path, sizes).catch((error: unknown) => errors.push(error));
    const [cause] = errors;
    if (errors.length === 0) return;
    throw new Error(`${errors.length} files are left: ${String(cause)}`, { cause });
  }

  /** The newest last. */
  async last(owner: LogOwner, { linesMax, sinceMs }: Wanted): Promise<readonly string[]> {
    const sizes = await this.#known(logPath(owner));
    let lines: readonly string[] = [];
    let leftBytes = READ_BYTES_MAX;
    for (const path of this.#names(logPath(owner))) {
      const sizeBytes = sizes.get(path);
      if (leftBytes <= 0) break;
      // The newest one made way, and nothing could be written since; those before it are there.
      if (sizeBytes === undefined) continue;
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
    for await (const piece of this.#disk.stream(path, { start: sizeBytes - 1, end: sizeBytes }))
      return piece[0] === LINE_END[0];
    return true;
  }

  /** As far as there is a file in the way: what is older than a gap need not make way for it. */
  async #rotate(path: string, sizes: Map<string, number>): Promise<void> {
    const names = this.#names(path);
    const gap = names.findIndex((name) => !sizes.has(name));
    const moving = names.slice(0, gap < 0 ? undefined : gap);
    for (const [index, from] of [...moving.entries()].toReversed()) {
      const to = names[index + 1];
      if (to === undefined) {
        await this.#remove(from, sizes);
        continue;
      }
      await this.#changing([from, to], () => this.#disk.rename(from, to));
      sizes.set(to, sizes.get(from) ?? 0);
      sizes.delete(from);
    }
    this.#ended.delete(path);
  }

  /** All that files of a site may have, the youngest first. */
  #names(path: string): readonly string[] {
    const { rotatedMax } = this.#limits;
    return [path, ...Array.from({ length: rotatedMax }, (_, index) => `${path}.${index + 1}`)];
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
    await this.#changing([path], () => this.#disk.remove(path));
    sizes.delete(path);
    this.#ended.delete(path);
  }

  /** The sizes of all files; those of this site are sure. */
  async #known(path: string): Promise<Map<string, number>> {
    const sizes = await this.#load();
    for (const name of this.#names(path).filter((each) => this.#unsure.has(each))) {
      const entry = await this.#disk.stat(name);
      if (entry === undefined) sizes.delete(name);
      else sizes.set(name, entry.sizeBytes);
      this.#ended.delete(name);
      this.#unsure.delete(name);
    }
    return sizes;
  }

  /** A change that throws may have taken effect all the same, as a rename that is not durable yet. */
  async #changing(paths: readonly string[], change: () => Promise<void>): Promise<void> {
    for (const path of paths) this.#unsure.add(path);
    await change();
    for (const path of paths) this.#unsure.delete(path);
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
