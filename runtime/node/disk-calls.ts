import {
  close,
  closeSync,
  fstatSync,
  fsync,
  lstat,
  lstatSync,
  open,
  openSync,
  readFile,
  readSync,
  rename,
  renameSync,
  type Stats,
  writeFile,
  writeFileSync,
} from 'node:fs';
import { promisify } from 'node:util';

/** What is longer is read and written by another thread. */
const SHORT_BYTES = 256 * 1024;
/** A call that took longer went to a disk, and not to memory or a fast one. */
const SLOW_MS = 2;
/** What one such call weighs against quick ones: a busy machine alone has some that seem slow. */
const SLOW_CALL = 8;
const SLOWNESS_MAX = 64;
/** How long others then have to wait for the disk, and not this thread. */
const PATIENT_MS = 5000;

/**
 * Says whether a disk is so fast that to hand a call to another thread, and to be told of its end,
 * takes longer than the call. One that is not has this thread wait for some calls, and is given
 * `PATIENT_MS` in which nobody does.
 */
export class DiskPace {
  readonly #nowMs: () => number;
  #slowness = 0;
  #patientUntilMs = Number.NEGATIVE_INFINITY;

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  isFast(): boolean {
    return this.#nowMs() >= this.#patientUntilMs;
  }

  /** Makes a call in this thread. */
  timed<T>(call: () => T): T {
    const beforeMs = this.#nowMs();
    try {
      return call();
    } finally {
      this.#note(beforeMs, this.#nowMs());
    }
  }

  #note(beforeMs: number, afterMs: number): void {
    const isSlow = afterMs - beforeMs > SLOW_MS;
    this.#slowness = isSlow ? this.#slowness + SLOW_CALL : Math.max(0, this.#slowness - 1);
    if (this.#slowness <= SLOWNESS_MAX) return;
    this.#slowness = 0;
    this.#patientUntilMs = afterMs + PATIENT_MS;
  }
}

/**
 * The calls by which small files come and go. Each is made in this thread while the disk is fast: a
 * file takes eight of them, and by way of another thread each costs as much work as the call itself.
 * Only to wait until something is durable is always left to others.
 */
export class DiskCalls {
  readonly #pace = new DiskPace();

  open(path: string, flags: 'w' | 'r', mode: number): Promise<number> {
    return this.#either(
      () => openSync(path, flags, mode),
      () => inPool.open(path, flags, mode),
    );
  }

  write(fd: number, bytes: Uint8Array): Promise<void> {
    if (bytes.byteLength > SHORT_BYTES) return inPool.writeFile(fd, bytes);
    return this.#either(
      () => writeFileSync(fd, bytes),
      () => inPool.writeFile(fd, bytes),
    );
  }

  sync(fd: number): Promise<void> {
    return inPool.fsync(fd);
  }

  close(fd: number): Promise<void> {
    return this.#either(
      () => closeSync(fd),
      () => inPool.close(fd),
    );
  }

  rename(from: string, to: string): Promise<void> {
    return this.#either(
      () => renameSync(from, to),
      () => inPool.rename(from, to),
    );
  }

  lstat(path: string): Promise<Stats> {
    return this.#either(
      () => lstatSync(path),
      () => inPool.lstat(path),
    );
  }

  async read(path: string): Promise<Buffer> {
    if (!this.#pace.isFast()) return inPool.readFile(path);
    return this.#pace.timed(() => readShort(path)) ?? inPool.readFile(path);
  }

  async readInto(path: string, memory: Uint8Array): Promise<number | 'too long'> {
    if (this.#pace.isFast()) return this.#pace.timed(() => readShortInto(path, memory));
    const { size } = await inPool.lstat(path);
    if (size > memory.byteLength) return 'too long';
    const bytes = await inPool.readFile(path);
    if (bytes.byteLength > memory.byteLength) return 'too long';
    memory.set(bytes);
    return bytes.byteLength;
  }

  async #either<T>(here: () => T, elsewhere: () => Promise<T>): Promise<T> {
    return this.#pace.isFast() ? this.#pace.timed(here) : elsewhere();
  }
}

const inPool = {
  open: promisify(open),
  // By name each time: what is looked up when it is called can be watched by a test.
  fsync: (fd: number): Promise<void> => {
    return new Promise((resolve, reject) => {
      fsync(fd, (error) => (error === null ? resolve() : reject(error)));
    });
  },
  close: promisify(close),
  rename: promisify(rename),
  lstat: (path: string): Promise<Stats> => {
    return new Promise((resolve, reject) => {
      lstat(path, (error, stats) => (error === null ? resolve(stats) : reject(error)));
    });
  },
  readFile: (path: string): Promise<Buffer> => {
    return new Promise((resolve, reject) => {
      readFile(path, (error, bytes) => (error === null ? resolve(bytes) : reject(error)));
    });
  },
  writeFile: promisify(writeFile),
} as const;

function readShortInto(path: string, memory: Uint8Array): number | 'too long' {
  const fd = openSync(path, 'r');
  try {
    const { size } = fstatSync(fd);
    if (size > memory.byteLength) return 'too long';
    let at = 0;
    for (let count = 1; at < size && count > 0; at += count)
      count = readSync(fd, memory, at, size - at, at);
    return at;
  } finally {
    closeSync(fd);
  }
}

/** Undefined: it is long. */
function readShort(path: string): Buffer | undefined {
  const fd = openSync(path, 'r');
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile() || stats.size > SHORT_BYTES) return undefined;
    const bytes = Buffer.allocUnsafeSlow(stats.size);
    let at = 0;
    for (let count = 1; at < bytes.length && count > 0; at += count)
      count = readSync(fd, bytes, at, bytes.length - at, at);
    return bytes.subarray(0, at);
  } finally {
    closeSync(fd);
  }
}
