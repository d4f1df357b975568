export interface ErrandLimits {
  /** Errands under way at once. */
  readonly max: number;
  /** Of these, to one place. */
  readonly ofPlaceMax: number;
}

export interface Errand<Result> {
  /** Where it goes, such as a host: places do not wait for one another. */
  readonly place: string;
  /** Whether the last one of that name failed: such ones never take the last quarter of the room. */
  readonly isDoubtful: boolean;
  /** Begun once there is room, which may be later. */
  work(signal: AbortSignal): Promise<Result>;
}

interface Waiting<Result> extends Errand<Result> {
  readonly name: string;
}

type Outcome<Result> = { readonly result: Result } | { readonly error: unknown };

/**
 * What a controller has to do at others', who may be slow or gone. A reconcile sends somebody and
 * ends; its name is called for again once there is a result.
 *
 * - Of a name one errand is out at a time, whether it waits for room or is under way.
 * - Within a place, and among all, those that failed before leave a quarter of the room to the rest:
 *   so whoever is known to be dead holds up nobody else.
 * - Those that wait keep their order, but for whose place has no room. There are never more of them
 *   than names.
 * - Results are in memory only, until they are forgotten. Work that throws makes the next look at its
 *   name fail, which is tried again like any other.
 */
export class Errands<Result> {
  readonly #limits: ErrandLimits;
  /** By name. */
  readonly #waiting = new Map<string, Waiting<Result>>();
  readonly #running = new Map<string, Waiting<Result>>();
  readonly #results = new Map<string, Outcome<Result>>();
  #stop = new AbortController();
  #look: (name: string) => void = () => undefined;

  constructor(limits: ErrandLimits) {
    this.#limits = limits;
  }

  /** `look` is called for a name when its errand is done. Returns what ends all errands. */
  listen(look: (name: string) => void): () => void {
    this.#look = look;
    this.#stop = new AbortController();
    return () => {
      this.#look = () => undefined;
      this.#waiting.clear();
      this.#stop.abort(new Error('nobody waits for it any more'));
    };
  }

  isOut(name: string): boolean {
    return this.#waiting.has(name) || this.#running.has(name);
  }

  /** What the last errand of that name has come to; undefined: there was none, or it is forgotten. */
  result(name: string): Result | undefined {
    const outcome = this.#results.get(name);
    if (outcome === undefined || 'result' in outcome) return outcome?.result;
    this.#results.delete(name);
    throw outcome.error;
  }

  forget(name: string): void {
    this.#results.delete(name);
  }

  /** Nothing happens where one of that name is out. */
  send(name: string, errand: Errand<Result>): void {
    if (this.isOut(name) || this.#stop.signal.aborted) return;
    this.#waiting.set(name, { ...errand, name });
    this.#beginAll();
  }

  #beginAll(): void {
    for (const errand of this.#waiting.values()) {
      if (this.#running.size >= this.#limits.max) return;
      if (this.#hasRoom(errand)) this.#begin(errand);
    }
  }

  #hasRoom({ place, isDoubtful }: Waiting<Result>): boolean {
    const { max, ofPlaceMax } = this.#limits;
    const running = [...this.#running.values()];
    const there = running.filter((each) => each.place === place);
    if (there.length >= ofPlaceMax) return false;
    if (!isDoubtful) return true;
    const isLeft = (others: readonly Waiting<Result>[], room: number): boolean =>
      others.filter((each) => each.isDoubtful).length < Math.ceil(room * DOUBTFUL_SHARE);
    return isLeft(there, ofPlaceMax) && isLeft(running, max);
  }

  #begin(errand: Waiting<Result>): void {
    const { name } = errand;
    this.#waiting.delete(name);
    this.#running.set(name, errand);
    void errand
      .work(this.#stop.signal)
      .then(
        (result) => void this.#results.set(name, { result }),
        (error: unknown) => void this.#results.set(name, { error }),
      )
      .then(() => {
        this.#running.delete(name);
        this.#beginAll();
        this.#look(name);
      });
  }
}

const DOUBTFUL_SHARE = 0.75;
