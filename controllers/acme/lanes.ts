import { Rooms } from './rooms.ts';

/**
 * Bounds how many reconciles ask one CA at a time, so that a slow CA never has all of them and
 * others go on (INV-5).
 */
export class Lanes {
  readonly #running = new Map<string, number>();
  readonly #rooms: Rooms;

  /** `call` has a name looked at again, soon: there is room for it. */
  constructor(max: number, call: (name: string) => void) {
    this.#rooms = new Rooms({ max, taken: (lane) => this.#running.get(lane) ?? 0, call });
  }

  /** Runs the work, or says 'busy' at once, and calls the name later. */
  async run<Result>(
    { lane, name }: { readonly lane: string; readonly name: string },
    work: () => Promise<Result>,
  ): Promise<Result | 'busy'> {
    if (this.#rooms.enter(lane, name) === 'full') return 'busy';
    this.#running.set(lane, (this.#running.get(lane) ?? 0) + 1);
    this.#rooms.leave(name);
    try {
      return await work();
    } finally {
      const left = (this.#running.get(lane) ?? 1) - 1;
      if (left === 0) this.#running.delete(lane);
      else this.#running.set(lane, left);
      this.#rooms.callNext(lane);
    }
  }

  /** Whether the name is called once there is room. */
  isWaiting(name: string): boolean {
    return this.#rooms.isWaiting(name);
  }

  /** The name has been looked at: room that was kept for it, and is not wanted, is for others. */
  looked(name: string): void {
    if (this.#rooms.isGiven(name)) this.#rooms.leave(name);
  }
}
