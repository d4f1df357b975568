import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';

/** Nobody waits for more at once; whoever does has a queue without a bound (INV-39). */
const MISSED_MAX = 10_000;

/**
 * One life of a process on a host: what stands between its code and the world.
 *
 * Guarantees: after `kill` nothing that its code does takes effect any more, and nothing that it
 * waits for ever comes, as if the machine had stopped between two instructions.
 */
export class Process {
  /** Unique in a world: "london#2". */
  readonly name: string;
  readonly #over = new AbortController();
  readonly #onKill: (() => void)[] = [];
  /** What came while the process stood still; undefined: it does not. */
  #missed: (() => void)[] | undefined;
  /** What is to happen when so many events have come; see `atEvent`. */
  readonly #atEvent = new Map<number, () => void>();
  /** How many of the things that it waited for have come: the answers of ports, timers, messages. */
  events = 0;
  readonly #onTouch: () => void;

  /** `onTouch`: something comes to it, or it is killed, paused or resumed. */
  constructor(name: string, onTouch: () => void = () => undefined) {
    this.name = name;
    this.#onTouch = onTouch;
  }

  get alive(): boolean {
    return !this.#over.signal.aborted;
  }

  /** Aborted by `kill`: it lets go of what the code holds, which by then can do no harm. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** What the operating system does when the process is gone: closes its connections. */
  onKill(action: () => void): void {
    this.#onKill.push(action);
  }

  get paused(): boolean {
    return this.#missed !== undefined;
  }

  /** Stands still from now on: what it waits for comes, but it notices only after `resume`. */
  pause(): void {
    this.#missed ??= [];
    this.#onTouch();
  }

  resume(): void {
    this.#onTouch();
    const missed = this.#missed ?? [];
    this.#missed = undefined;
    for (const each of missed) each();
  }

  /**
   * Runs `action` as the `count`th event from now comes, before the code learns of it. If that kills
   * the process, it has crashed at that very `await`.
   */
  atEvent(count: number, action: () => void): void {
    this.#atEvent.set(this.events + count, action);
  }

  kill(): void {
    if (!this.alive) return;
    this.#onTouch();
    this.#over.abort(new Error(`${this.name} has crashed`));
    for (const action of this.#onKill.splice(0)) action();
  }

  /** A port that stops with the process: for ports whose methods are asynchronous, or may be. */
  wrap<Port extends object>(port: Port): Port {
    const wrapped = new Map<unknown, (...args: readonly unknown[]) => unknown>();
    return new Proxy(port, {
      get: (target, key) => {
        const member: unknown = Reflect.get(target, key);
        if (typeof member !== 'function') return member;
        const known = wrapped.get(member);
        if (known !== undefined) return known;
        const made = (...args: readonly unknown[]): unknown =>
          this.alive ? this.#outcome(Reflect.apply(member, target, args)) : never();
        wrapped.set(member, made);
        return made;
      },
    });
  }

  clock(clock: Clock): Clock {
    return {
      nowMs: () => clock.nowMs(),
      monotonicMs: () => clock.monotonicMs(),
      sleep: (ms, signal) => (this.alive ? this.promise(clock.sleep(ms, signal)) : never()),
    };
  }

  log(log: Log): Log {
    const at =
      (level: 'debug' | 'info' | 'warn' | 'error'): Log[typeof level] =>
      (fields, message) => {
        if (this.alive) log[level](fields, message);
      };
    return {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      child: (fields) => this.log(log.child(fields)),
    };
  }

  /** The same promise, unless the process is gone by the time it settles: then it never does. */
  promise<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      work.then(
        (value) => this.#deliver(() => resolve(value)),
        (error: unknown) => this.#deliver(() => reject(error)),
      );
    });
  }

  #deliver(outcome: () => void): void {
    if (!this.alive) return;
    if (this.paused) return this.#miss(() => this.#deliver(outcome));
    this.events += 1;
    this.#onTouch();
    const action = this.#atEvent.get(this.events);
    if (action === undefined) return outcome();
    this.#atEvent.delete(this.events);
    action();
    if (!this.alive) return;
    if (this.paused) this.#miss(outcome);
    else outcome();
  }

  #miss(outcome: () => void): void {
    const missed = this.#missed ?? [];
    if (missed.length >= MISSED_MAX)
      throw new Error(`INV-39: ${this.name} waits for ${MISSED_MAX} things while it stands still`);
    missed.push(outcome);
  }

  #outcome(result: unknown): unknown {
    if (result instanceof Promise) return this.promise(result);
    if (isAsyncIterable(result)) return this.#iterable(result);
    return result;
  }

  #iterable(source: AsyncIterable<unknown>): AsyncIterableIterator<unknown> {
    const iterator = source[Symbol.asyncIterator]();
    const ask = (step: () => Promise<IteratorResult<unknown>>): Promise<IteratorResult<unknown>> =>
      this.alive ? this.promise(step()) : never();
    const wrapped: AsyncIterableIterator<unknown> = {
      [Symbol.asyncIterator]: () => wrapped,
      next: () => ask(() => iterator.next()),
      return: (value) =>
        ask(async () => (await iterator.return?.(value)) ?? { done: true, value: undefined }),
    };
    return wrapped;
  }
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}
