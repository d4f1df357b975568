import { readFileSync } from 'node:fs';
import type { Interface } from 'node:readline';

/** After so many the server has learned all that it keeps. */
const WARM_UP_BATCHES = 500;
/** What it keeps beyond that, without garbage: no room for a leak. */
const KEPT_GROWTH_BYTES_MAX = 16 * 1024 * 1024;
/** With garbage, which V8 lets lie for as long as it finds room. */
const RESIDENT_BYTES_MAX = 512 * 1024 * 1024;
const PAGE_BYTES = 4096;

/** Watches what `server.ts` says that it keeps, and what the kernel says. */
export class Memory {
  readonly #pid: number | undefined;
  #keptBytes = 0;
  #warmBytes = 0;

  constructor(pid: number | undefined, says: Interface) {
    this.#pid = pid;
    says.on('line', (line) => {
      const [what, count] = line.split(' ');
      if (what === 'kept') this.#keptBytes = Number(count);
    });
  }

  get keptBytes(): number {
    return this.#keptBytes;
  }

  get residentBytes(): number {
    const [, pages = '0'] = readFileSync(`/proc/${this.#pid}/statm`, 'utf8').split(' ');
    return PAGE_BYTES * Number(pages);
  }

  /** Throws if the server has grown by what it was asked. */
  check(batches: number): void {
    const { keptBytes, residentBytes } = this;
    if (batches <= WARM_UP_BATCHES) this.#warmBytes = Math.max(this.#warmBytes, keptBytes);
    else if (this.#warmBytes === 0) this.#warmBytes = keptBytes;
    if (this.#warmBytes > 0 && keptBytes > this.#warmBytes + KEPT_GROWTH_BYTES_MAX)
      throw new Error(`the server kept ${this.#warmBytes} bytes, and keeps ${keptBytes} now`);
    if (residentBytes > RESIDENT_BYTES_MAX)
      throw new Error(`the server takes ${residentBytes} bytes, ${keptBytes} of them kept`);
  }
}
