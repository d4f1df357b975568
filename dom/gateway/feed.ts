import { SessionResponse } from '../../proto/gen/b8s/v1/agent.ts';
import { type PlanObject, type Position } from '../../proto/gen/b8s/v1/plan.ts';
import { combinedDigest, objectDigest } from '../../runtime/session/plan-digest.ts';
import type { ViewEntry } from './view-entry.ts';

/** How often a sub sends a heartbeat; three missed ones end a session on either side. */
export const HEARTBEAT_INTERVAL_MS = 1_500;
/** Removals and positions remembered for deltas; an older base gets a snapshot. */
const REMOVALS_MAX = 10_000;
const POSITIONS_MAX = 1_000;

/** An object of a plan with its digest, made once for all feeds that show it. */
export interface MadeObject {
  readonly version: string;
  readonly object: PlanObject;
  readonly digest: Uint8Array;
}

/** What was made so far, by key, or could not be made; shared by the feeds of one hub. */
export type Workshop = Map<
  string,
  MadeObject | { readonly version: string; readonly error: unknown }
>;

interface Entry extends MadeObject {
  /** The revision at which this object last changed. */
  readonly changedAt: bigint;
}

/**
 * One view of the world as it moves on: knows what changed since any revision that it has seen,
 * and encodes each delta once, however many sessions ask for it.
 */
export class Feed {
  #entries = new Map<string, Entry>();
  readonly #removedAt = new Map<string, bigint>();
  readonly #workshop: Workshop;
  /** Told once of each object that cannot be made: the others are not held up by it (INV-5). */
  readonly #onBroken: (key: string, error: unknown) => void;
  readonly #frames = new Map<string, Uint8Array>();
  /**
   * The digest at each revision where deltas may begin. A node that held another plan there, of
   * other roles or of a store since restored, needs a snapshot.
   */
  readonly #digests = new Map<bigint, string>();
  position: Position = { epoch: 0n, revision: 0n };
  digest = '';

  constructor(workshop: Workshop, onBroken: (key: string, error: unknown) => void) {
    this.#workshop = workshop;
    this.#onBroken = onBroken;
  }

  /** Moves on to `position`; true if anything is different there. */
  update(view: readonly ViewEntry[], position: Position): boolean {
    const next = new Map<string, Entry>();
    for (const each of view) {
      const entry = this.#entry(each, position.revision);
      if (entry !== undefined) next.set(each.key, entry);
    }
    const removed = [...this.#entries.keys()].filter((key) => !next.has(key));
    const changed = [...next.values()].some((entry) => entry.changedAt === position.revision);
    this.#entries = next;
    const newTerm = position.epoch !== this.position.epoch;
    if (!changed && removed.length === 0 && !newTerm) return false;
    for (const key of next.keys()) this.#removedAt.delete(key);
    for (const key of removed) {
      this.#removedAt.set(key, position.revision);
      this.#workshop.delete(key);
    }
    if (newTerm || this.#removedAt.size > REMOVALS_MAX) {
      this.#removedAt.clear();
      this.#digests.clear();
    }
    this.position = position;
    this.digest = combinedDigest(new Map([...next].map(([key, { digest }]) => [key, digest])));
    this.#digests.set(position.revision, this.digest);
    const [oldest] = this.#digests.keys();
    if (this.#digests.size > POSITIONS_MAX && oldest !== undefined) this.#digests.delete(oldest);
    this.#frames.clear();
    return true;
  }

  /** Nothing has changed up to `position`: for nodes of other feeds that hold what is later. */
  stand(position: Position): void {
    this.position = position;
    this.#digests.set(position.revision, this.digest);
    this.#frames.clear();
  }

  /**
   * The encoded plan for a node that was told of another feed until now: what it may hold otherwise
   * than this feed has it. For few nodes at a time, so it is not remembered.
   */
  crossing(
    from: Feed,
    held: { readonly position: Position; readonly digest: string } | undefined,
  ): Uint8Array {
    const base = from.#base(held);
    if (base === undefined || held?.digest === this.digest) return this.frame(held);
    const since = base.revision;
    const isHeld = ([key, { digest }]: readonly [string, Entry]): boolean => {
      const other = from.#entries.get(key);
      if (other === undefined || other.changedAt > since) return false;
      return Buffer.compare(other.digest, digest) === 0;
    };
    const gone = [...from.#removedAt].flatMap(([key, at]) => (at > since ? [key] : []));
    const removals = [...from.#entries.keys(), ...gone].filter((key) => !this.#entries.has(key));
    const upserts = [...this.#entries].filter((each) => !isHeld(each)).map(([, entry]) => entry);
    return this.#frameOf(base, { upserts, removals });
  }

  /** The encoded plan that takes a node from what it holds to `position`. */
  frame(held: { readonly position: Position; readonly digest: string } | undefined): Uint8Array {
    const base = this.#base(held);
    const same = held?.digest === this.digest;
    const name = base === undefined ? '' : `${base.epoch}/${base.revision}/${same}`;
    const known = this.#frames.get(name);
    if (known !== undefined) return known;
    const frame = this.#encode(base, { same });
    this.#frames.set(name, frame);
    return frame;
  }

  /** Where a delta may begin; undefined: a snapshot is needed. */
  #base(
    held: { readonly position: Position; readonly digest: string } | undefined,
  ): Position | undefined {
    if (held === undefined) return undefined;
    if (held.digest === this.digest) return held.position;
    const sameTerm = held.position.epoch === this.position.epoch;
    const known = this.#digests.get(held.position.revision) === held.digest;
    return sameTerm && known ? held.position : undefined;
  }

  #encode(base: Position | undefined, { same }: { same: boolean }): Uint8Array {
    const entries = [...this.#entries.values()];
    const since = base?.revision ?? -1n;
    const upserts =
      same && base !== undefined ? [] : entries.filter((each) => each.changedAt > since);
    const removals =
      base === undefined || same ? [] : [...this.#removedAt].filter(([, at]) => at > since);
    return this.#frameOf(base, { upserts, removals: removals.map(([key]) => key) });
  }

  #frameOf(
    base: Position | undefined,
    {
      upserts,
      removals,
    }: { readonly upserts: readonly Entry[]; readonly removals: readonly string[] },
  ): Uint8Array {
    return SessionResponse.encode({
      message: {
        $case: 'plan',
        value: {
          position: this.position,
          base,
          upserts: upserts.map((entry) => entry.object),
          removals: [...new Set(removals)].toSorted(),
          digest: this.digest,
          heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS,
        },
      },
    }).finish();
  }

  /** Undefined: it never could be made. One that cannot any more stays as it was. */
  #entry(view: ViewEntry, revision: bigint): Entry | undefined {
    const before = this.#entries.get(view.key);
    if (before?.version === view.version) return before;
    const made = this.#make(view);
    if (made === undefined) return before;
    // Made anew, yet the same to the byte: no news for the node.
    const same = before !== undefined && Buffer.compare(before.digest, made.digest) === 0;
    return { ...made, changedAt: same ? before.changedAt : revision };
  }

  #make(view: ViewEntry): MadeObject | undefined {
    const { key, version } = view;
    const known = this.#workshop.get(key);
    if (known?.version === version) return 'error' in known ? undefined : known;
    try {
      const object = view.make();
      const made = { version, object, digest: objectDigest(object) };
      this.#workshop.set(key, made);
      return made;
    } catch (error) {
      this.#workshop.set(key, { version, error });
      this.#onBroken(key, error);
      return undefined;
    }
  }
}
