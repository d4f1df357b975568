import type { Clock } from '../../runtime/clock.ts';
import type { Disk } from '../../runtime/disk.ts';
import { type MemoryDisk, memoryDisk } from '../../runtime/memory-disk.ts';
import { Process } from '../engine/process.ts';
import type { SeededRandom } from '../engine/random.ts';
import type { Scheduler } from '../engine/scheduler.ts';
import type { Trace } from '../engine/trace.ts';

export interface HostPorts {
  readonly scheduler: Scheduler;
  readonly trace: Trace;
  readonly random: SeededRandom;
}

/** Longest time that a write to a disk takes. */
const WRITE_MS_MAX = 3;
/** Wall clocks of a world's hosts differ by no more than this, either way. */
const SKEW_MS_MAX = 2_000;

/** A machine: it keeps its disk and its clock, while processes come and go. */
export class Host {
  readonly name: string;
  readonly disk: MemoryDisk;
  readonly clock: Clock;
  /** Undefined: nothing runs there. */
  process: Process | undefined;
  readonly #ports: HostPorts;
  #starts = 0;
  #writes = 0;
  /** What is to happen at which write; see `atWrite`. */
  readonly #atWrite = new Map<number, () => void>();

  /** `disk` left out: its own, and empty. */
  constructor(name: string, ports: HostPorts, disk: MemoryDisk = memoryDisk()) {
    this.name = name;
    this.disk = disk;
    this.#ports = { ...ports, random: ports.random.fork(name) };
    this.clock = ports.scheduler.clock(this.#ports.random.integer(-SKEW_MS_MAX, SKEW_MS_MAX));
  }

  /** A new process, and the streams and the disk that it is to use. */
  start(): { readonly process: Process; readonly random: SeededRandom; readonly disk: Disk } {
    this.#starts += 1;
    const process = new Process(`${this.name}#${this.#starts}`);
    this.process = process;
    const random = this.#ports.random.fork(`start ${this.#starts}`);
    this.#ports.trace.add(this.name, 'starts');
    return { process, random, disk: process.wrap(this.#slowDisk(process, random.fork('disk'))) };
  }

  /** Runs `action` when the disk has been written to `count` times more: while it matters most. */
  atWrite(count: number, action: () => void): void {
    this.#atWrite.set(this.#writes + count, action);
  }

  /** The power goes: what was not synced is gone with the process. */
  crash(): void {
    if (this.process === undefined) return;
    this.#ports.trace.add(this.name, 'CRASHES');
    this.process.kill();
    this.process = undefined;
    this.disk.crash();
  }

  /** Writes take time, so that a crash can come before, between and after them. */
  #slowDisk(process: Process, random: SeededRandom): Disk {
    const { disk } = this;
    const write = async (work: () => Promise<void>): Promise<void> => {
      const delayMs = random.integer(0, WRITE_MS_MAX);
      this.#writes += 1;
      const action = this.#atWrite.get(this.#writes);
      // Before this write takes effect, or between it and what follows.
      if (action !== undefined)
        this.#ports.scheduler.after(random.integer(0, WRITE_MS_MAX), action);
      await new Promise<void>((resolve) => this.#ports.scheduler.after(delayMs, resolve));
      if (process.alive) await work();
    };
    return {
      read: (path) => disk.read(path),
      stat: (path) => disk.stat(path),
      list: (folder) => disk.list(folder),
      stream: (path, range) => disk.stream(path, range),
      // A copy: the caller may use its buffer again before the write happens.
      write: (path, bytes) => {
        const copy = bytes.slice();
        return write(() => disk.write(path, copy));
      },
      append: (path, bytes) => {
        const copy = bytes.slice();
        return write(() => disk.append(path, copy));
      },
      sync: (path) => write(() => disk.sync(path)),
      rename: (from, to) => write(() => disk.rename(from, to)),
      remove: (path) => write(() => disk.remove(path)),
    };
  }
}
