import type { Disk } from '../../runtime/disk/disk.ts';
import type { MemoryDisk } from '../../runtime/disk/memory-disk.ts';
import type { Process } from '../engine/process.ts';
import type { SeededRandom } from '../engine/random.ts';
import type { Scheduler } from '../engine/scheduler.ts';

/** How well a disk does. Probabilities are per occasion; 0 is never. */
export interface DiskWeather {
  /** A read or a write fails, a write before or after it took effect. */
  readonly errors: number;
  /** The longest time that a write takes, in milliseconds; on a slow disk reads take theirs, too. */
  readonly delayMsMax: number;
  /** At a power cut something of what was not synced survives, file by file. */
  readonly tears: number;
}

export const CALM_DISK: DiskWeather = { errors: 0, delayMsMax: 3, tears: 0 };

/** What a disk says that fails. */
export class DiskFault extends Error {
  override readonly name = 'DiskFault';
}

export interface HostDiskPorts {
  readonly disk: MemoryDisk;
  readonly process: Process;
  readonly scheduler: Scheduler;
  readonly random: SeededRandom;
  readonly weather: () => DiskWeather;
  /** A write begins. */
  readonly onWrite: () => void;
  /** A change has taken effect, and nobody knows yet: "write plan.bin". */
  readonly onEffect: (what: string) => void;
}

/**
 * A machine's disk as one process sees it. Writes take time, so that a crash can come before,
 * between and after them; what the process began and did not live to see never happens.
 */
export function hostDisk(ports: HostDiskPorts): Disk {
  const { disk } = ports;
  return {
    read: (path) => read(ports, `read ${path}`, () => disk.read(path)),
    readInto: (path, memory) => read(ports, `read ${path}`, () => disk.readInto(path, memory)),
    stat: (path) => read(ports, `read ${path}`, () => disk.stat(path)),
    list: (folder) => read(ports, `list ${folder}`, () => disk.list(folder)),
    async *stream(path, range) {
      await read(ports, `read ${path}`, () => Promise.resolve());
      yield* disk.stream(path, range);
    },
    // A copy: the caller may use its buffer again before the write happens.
    write: (path, bytes) => {
      const copy = new Uint8Array(bytes);
      return change(ports, `write ${path}`, () => disk.write(path, copy));
    },
    append: (path, bytes) => {
      const copy = new Uint8Array(bytes);
      const half = () =>
        disk.append(path, copy.subarray(0, ports.random.integer(0, copy.length - 1)));
      return change(ports, `append ${path}`, () => disk.append(path, copy), half);
    },
    sync: (path) => change(ports, `sync ${path}`, () => disk.sync(path)),
    rename: (from, to) => change(ports, `rename ${from} ${to}`, () => disk.rename(from, to)),
    remove: (path) => change(ports, `remove ${path}`, () => disk.remove(path)),
  };
}

async function read<T>(ports: HostDiskPorts, what: string, work: () => Promise<T>): Promise<T> {
  const { random, weather } = ports;
  const { delayMsMax, errors } = weather();
  if (delayMsMax > CALM_DISK.delayMsMax) await pause(ports, random.integer(0, delayMsMax));
  if (random.chance(errors)) throw new DiskFault(`${what}: input/output error`);
  return work();
}

async function change(
  ports: HostDiskPorts,
  what: string,
  work: () => Promise<void>,
  /** What may be left of it when it fails. */
  half: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const { process, random, weather, onWrite, onEffect } = ports;
  const { delayMsMax, errors } = weather();
  const delayMs = random.integer(0, delayMsMax);
  onWrite();
  await pause(ports, delayMs);
  if (!process.alive) return;
  const fault = random.chance(errors) ? random.pick(['before', 'half', 'after']) : undefined;
  if (fault === 'half') await half();
  if (fault === undefined || fault === 'after') {
    await work();
    onEffect(what);
  }
  if (fault !== undefined) throw new DiskFault(`${what}: input/output error`);
}

function pause({ scheduler }: HostDiskPorts, ms: number): Promise<void> {
  return new Promise((resolve) => scheduler.after(ms, resolve));
}
