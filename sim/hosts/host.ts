import type { Disk } from '../../runtime/disk/disk.ts';
import type { DiskReader } from '../../runtime/disk/disk-reader.ts';
import { type MemoryDisk, memoryDisk } from '../../runtime/disk/memory-disk.ts';
import { Process } from '../engine/process.ts';
import type { SeededRandom } from '../engine/random.ts';
import type { Scheduler } from '../engine/scheduler.ts';
import type { Trace } from '../engine/trace.ts';
import { HostClock } from './host-clock.ts';
import { CALM_DISK, DiskFault, type DiskWeather, hostDisk } from './host-disk.ts';
import { Rot } from './rot.ts';

export interface HostPorts {
  readonly scheduler: Scheduler;
  readonly trace: Trace;
  readonly random: SeededRandom;
}

/** Longest time from the start of a write until what `atWrite` planned for it happens. */
const AT_WRITE_MS_MAX = 3;

/** A machine: it keeps its disk and its clock, while processes come and go. */
export class Host {
  readonly name: string;
  readonly disk: MemoryDisk;
  readonly clock: HostClock;
  readonly rot: Rot;
  diskWeather: DiskWeather = CALM_DISK;
  /** Undefined: nothing runs there. */
  process: Process | undefined;
  /**
   * Told of each change of the disk once it took effect and before the process learns of it, e.g.
   * "disk write plan.bin". It may crash the host.
   */
  onEffect: (process: Process, what: string) => void = () => undefined;
  /** Something came to what runs there, or became of it. */
  onTouch: () => void = () => undefined;
  readonly #ports: HostPorts;
  readonly #power: SeededRandom;
  readonly #diskIs: 'its own' | 'shared';
  #starts = 0;
  #writes = 0;
  /** What is to happen at which write; see `atWrite`. */
  readonly #atWrite = new Map<number, () => void>();

  /** `shared`: a disk that others see as well, and that goes on when this machine stops. */
  constructor(name: string, ports: HostPorts, shared?: MemoryDisk) {
    this.name = name;
    this.disk = shared ?? memoryDisk();
    this.#diskIs = shared === undefined ? 'its own' : 'shared';
    this.#ports = { ...ports, random: ports.random.fork(name) };
    this.#power = this.#ports.random.fork('power');
    this.clock = new HostClock(ports.scheduler);
    this.rot = new Rot(this.disk);
  }

  /** A new process, and the streams and the disk that it is to use. */
  start(): { readonly process: Process; readonly random: SeededRandom; readonly disk: Disk } {
    const { scheduler, trace } = this.#ports;
    this.#starts += 1;
    const process = new Process(`${this.name}#${this.#starts}`, () => this.onTouch());
    this.process = process;
    this.onTouch();
    const random = this.#ports.random.fork(`start ${this.#starts}`);
    trace.add(this.name, 'starts', { kind: 'starts', fields: { process: process.name } });
    const disk = hostDisk({
      ...{ disk: this.disk, process, scheduler, random: random.fork('disk') },
      weather: () => this.diskWeather,
      onWrite: () => this.#wrote(),
      onEffect: (what) => this.onEffect(process, `disk ${what}`),
    });
    return { process, random, disk: process.wrap(disk) };
  }

  /** The disk for the threads that serve: it fails as it does for all, but takes no time. */
  reader(random: SeededRandom): DiskReader {
    const fail = (path: string): void => {
      if (random.chance(this.diskWeather.errors))
        throw new DiskFault(`read ${path}: input/output error`);
    };
    return {
      read: async (path) => {
        fail(path);
        return this.disk.read(path);
      },
      stream: (path, range) => {
        fail(path);
        return this.disk.stream(path, range);
      },
      stat: async (path) => {
        fail(path);
        return this.disk.stat(path);
      },
    };
  }

  /** What lies on the disk cannot all be read by now: an error in place of a file is right. */
  get mayMisread(): boolean {
    return this.diskWeather.errors > 0 || this.rot.damaged().length > 0;
  }

  /** Runs `action` when the disk has been written to `count` times more: while it matters most. */
  atWrite(count: number, action: () => void): void {
    this.#atWrite.set(this.#writes + count, action);
  }

  /** The power goes: what was not synced is gone with the process. */
  crash(): void {
    if (this.process === undefined) return;
    this.#ports.trace.add(this.name, 'CRASHES', { kind: 'crashes' });
    this.process.kill();
    this.process = undefined;
    if (this.#diskIs === 'shared') return;
    const { tears } = this.diskWeather;
    const power = this.#power;
    this.disk.crash({
      keptBytes: (unsynced) => (power.chance(tears) ? power.integer(0, unsynced) : 0),
      isBack: () => power.chance(tears),
    });
  }

  /** The machine is set up from nothing. */
  async wipe(): Promise<void> {
    await this.disk.remove('');
    // For good: not even a power cut brings anything back.
    this.disk.crash();
    this.rot.forget();
  }

  /** The process stands still, and finds all that came meanwhile when it is woken. */
  pause(): { readonly wake: () => void } {
    const { process } = this;
    if (process === undefined || process.paused) return { wake: () => undefined };
    this.#ports.trace.add(this.name, `${process.name} STANDS STILL`, { kind: 'pauses' });
    process.pause();
    return {
      wake: () => {
        if (process.alive && process.paused)
          this.#ports.trace.add(this.name, `${process.name} wakes up`, { kind: 'wakes' });
        process.resume();
      },
    };
  }

  /** Something takes all room on the disk but these bytes, until `empty`. */
  fill(freeBytes: number): void {
    this.#fault(`its disk is FULL, but for ${freeBytes} bytes`);
    this.disk.limit(this.disk.usedBytes() + freeBytes);
  }

  empty(): void {
    this.disk.limit(Infinity);
  }

  /** A bit of some blob turns over. */
  strike(random: SeededRandom): void {
    const path = this.rot.strike(random);
    if (path !== undefined) this.#fault(`a bit of ${path} turns over`);
  }

  /** Somebody sets the wall clock. */
  jump(ms: number): void {
    this.#fault(`its clock JUMPS by ${ms} ms`);
    this.clock.jump(ms);
  }

  #fault(what: string): void {
    this.#ports.trace.add(this.name, what, { kind: 'fault' });
  }

  #wrote(): void {
    this.#writes += 1;
    const action = this.#atWrite.get(this.#writes);
    this.#atWrite.delete(this.#writes);
    // Before this write takes effect, or between it and what follows.
    if (action !== undefined)
      this.#ports.scheduler.after(this.#power.integer(0, AT_WRITE_MS_MAX), action);
  }
}
