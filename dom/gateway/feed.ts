import { SessionResponse } from '../../proto/gen/b8s/v1/agent.ts';
import { type PlanObject, type Position } from '../../proto/gen/b8s/v1/plan.ts';
import { combinedDigest, objectDigest } from '../../runtime/plan-digest.ts';
import type { ViewEntry } from './view.ts';

/** How often a sub sends a heartbeat; three missed ones end a session on either side. */
export const HEARTBEAT_INTERVAL_MS = 1_500;
/** Removals remembered for deltas; an older base gets a snapshot. */
const REMOVALS_MAX = 10_000;

/** An object of a plan with its digest, made once for all feeds that show it. */
export interface MadeObject {
  readonly version: string;
  readonly object: PlanObject;
  readonly digest: Uint8Array;
}

/** What was made so far, by key; shared by the feeds of one hub. */
export type Workshop = Map<string, MadeObject>;

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
  readonly #frames = new Map<string, Uint8Array>();
  /** Deltas begin here: before it, nothing is known. */
  #floor: bigint | undefined;
  position: Position = { epoch: 0n, revision: 0n };
  digest = '';

  constructor(workshop: Workshop) {
    this.#workshop = workshop;
  }

  /** Moves on to `position`; true if anything is different there. */
  update(view: readonly ViewEntry[], position: Position): boolean {
    const next = new Map(view.map((entry) => [entry.key, this.#entry(entry, position.revision)]));
    const removed = [...this.#entries.keys()].filter((key) => !next.has(key));
    const changed = [...next.values()].some((entry) => entry.changedAt === position.revision);
    this.#entries = next;
    const newTerm = position.epoch !== this.position.epoch;
    if (!changed && removed.length === 0 && !newTerm) return false;
    for (const key of next.keys()) this.#removedAt.delete(key);
    for (const key of removed) this.#removedAt.set(key, position.revision);
    if (newTerm || this.#removedAt.size > REMOVALS_MAX) {
      this.#removedAt.clear();
      this.#floor = position.revision;
    }
    this.position = position;
    this.digest = combinedDigest(new Map([...next].map(([key, { digest }]) => [key, digest])));
    this.#frames.clear();
    return true;
  }

  /** The encoded plan that takes a node from what it holds to `position`. */
  frame(held: { readonly position: Position; readonly digest: string } | undefined): Uint8Array {
    const base = this.#base(held);
    const name = base === undefined ? '' : `${base.epoch}/${base.revision}`;
    const known = this.#frames.get(name);
    if (known !== undefined) return known;
    const frame = this.#encode(base, { same: held?.digest === this.digest });
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
    const known = this.#floor !== undefined && held.position.revision >= this.#floor;
    return sameTerm && known ? held.position : undefined;
  }

  #encode(base: Position | undefined, { same }: { same: boolean }): Uint8Array {
    const entries = [...this.#entries.values()];
    const since = base?.revision ?? -1n;
    const upserts =
      same && base !== undefined ? [] : entries.filter((each) => each.changedAt > since);
    const removals =
      base === undefined || same ? [] : [...this.#removedAt].filter(([, at]) => at > since);
    return SessionResponse.encode({
      message: {
        $case: 'plan',
        value: {
          position: this.position,
          base,
          upserts: upserts.map((entry) => entry.object),
          removals: removals.map(([key]) => key).toSorted(),
          digest: this.digest,
          heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS,
        },
      },
    }).finish();
  }

  #entry(view: ViewEntry, revision: bigint): Entry {
    const before = this.#entries.get(view.key);
    if (before?.version === view.version) return before;
    const made = make(this.#workshop, view);
    // Made anew, yet the same to the byte: no news for the node.
    const same = before !== undefined && Buffer.compare(before.digest, made.digest) === 0;
    return { ...made, changedAt: same ? before.changedAt : revision };
  }
}

function make(workshop: Workshop, view: ViewEntry): MadeObject {
  const known = workshop.get(view.key);
  if (known?.version === view.version) return known;
  const object = view.make();
  const made = { version: view.version, object, digest: objectDigest(object) };
  workshop.set(view.key, made);
  return made;
}
