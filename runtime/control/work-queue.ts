/**
 * A queue of names to look at.
 *
 * - A name is in work at most once at a time.
 * - Adding a name that waits already changes nothing.
 * - Adding a name that is in work makes it wait again as soon as it is done, so nothing is missed.
 * - Names come out in the order in which they became ready.
 */
export class WorkQueue {
  /** To be looked at, whether waiting or in work. */
  readonly #dirty = new Set<string>();
  readonly #processing = new Set<string>();
  #waiting: string[] = [];
  #takers: ((name: string | undefined) => void)[] = [];
  #closed = false;

  add(name: string): void {
    if (this.#closed || this.#dirty.has(name)) return;
    this.#dirty.add(name);
    if (!this.#processing.has(name)) this.#offer(name);
  }

  /** The next name, or undefined once the queue is closed. */
  async take(): Promise<string | undefined> {
    if (this.#closed) return undefined;
    const name =
      this.#waiting.shift() ??
      (await new Promise<string | undefined>((resolve) => this.#takers.push(resolve)));
    if (name === undefined) return undefined;
    this.#dirty.delete(name);
    this.#processing.add(name);
    return name;
  }

  done(name: string): void {
    this.#processing.delete(name);
    if (this.#dirty.has(name)) this.#offer(name);
  }

  close(): void {
    this.#closed = true;
    this.#waiting = [];
    for (const taker of this.#takers.splice(0)) taker(undefined);
  }

  /** Names waiting or in work. */
  get size(): number {
    return new Set([...this.#dirty, ...this.#processing]).size;
  }

  #offer(name: string): void {
    const taker = this.#takers.shift();
    if (taker !== undefined) {
      // A taker takes in a later microtask; until then the name counts as in work.
      this.#processing.add(name);
      taker(name);
      return;
    }
    this.#waiting.push(name);
  }
}
