/**
 * Waiting lists for what has room for a few at a time.
 *
 * - Who finds no room is called once there is some, in the order of coming: nobody looks again and
 *   again meanwhile.
 * - Room that was given is kept until it is taken or given up, so that nobody overtakes.
 * - A name waits for one room at a time, for that which it wanted last.
 */
export class Rooms {
  readonly #rooms = new Map<string, Room>();
  /** The room of each name that waits or was given some. */
  readonly #roomOf = new Map<string, string>();
  readonly #max: number;
  readonly #taken: (id: string) => number;
  readonly #call: (name: string) => void;

  constructor(given: {
    /** Places in each room. */
    readonly max: number;
    /** Of these, those that are in use, by other reckoning than this one. */
    readonly taken: (id: string) => number;
    /** Has a name looked at again, soon. */
    readonly call: (name: string) => void;
  }) {
    this.#max = given.max;
    this.#taken = given.taken;
    this.#call = given.call;
  }

  /** `given`: there is a place, and it is kept for the name. `full`: it is called later. */
  enter(id: string, name: string): 'given' | 'full' {
    if (this.#roomOf.get(name) !== id) this.leave(name);
    const room = this.#rooms.get(id) ?? { waiting: new Set(), given: new Set() };
    this.#rooms.set(id, room);
    this.#roomOf.set(name, id);
    if (room.given.has(name)) return 'given';
    const isFull = this.#taken(id) + room.given.size >= this.#max;
    (isFull ? room.waiting : room.given).add(name);
    if (isFull) return 'full';
    room.waiting.delete(name);
    return 'given';
  }

  /** Whether a place is kept for the name. */
  isGiven(name: string): boolean {
    return this.#rooms.get(this.#roomOf.get(name) ?? '')?.given.has(name) ?? false;
  }

  /** Whether it waits to be called. */
  isWaiting(name: string): boolean {
    return this.#rooms.get(this.#roomOf.get(name) ?? '')?.waiting.has(name) ?? false;
  }

  /** The place is not kept any more, for it is in use, or not wanted; nor does the name wait. */
  leave(name: string): void {
    const id = this.#roomOf.get(name);
    if (id === undefined) return;
    this.#roomOf.delete(name);
    const room = this.#rooms.get(id);
    room?.waiting.delete(name);
    room?.given.delete(name);
    this.callNext(id);
  }

  /** Calls those for whom there is a place by now; of all rooms when none is named. */
  callNext(id?: string): void {
    if (id === undefined) {
      for (const each of [...this.#rooms.keys()].toSorted()) this.callNext(each);
      return;
    }
    const room = this.#rooms.get(id);
    if (room === undefined) return;
    let free = room.waiting.size === 0 ? 0 : this.#max - this.#taken(id) - room.given.size;
    for (const name of room.waiting) {
      if (free <= 0) break;
      free -= 1;
      room.waiting.delete(name);
      room.given.add(name);
      this.#call(name);
    }
    if (room.waiting.size === 0 && room.given.size === 0) this.#rooms.delete(id);
  }
}

interface Room {
  /** In the order of coming. */
  readonly waiting: Set<string>;
  readonly given: Set<string>;
}
